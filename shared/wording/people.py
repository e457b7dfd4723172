"""People at the door and in the desk: second factor, ways to sign in, users, approvals, four eyes."""

WORDS: dict[str, tuple[str, str]] = {
    "signin.oidc": ("{name}(으)로 로그인", "Sign in with {name}"),
    "signin.supabase": ("Supabase 계정으로 로그인", "Sign in with Supabase"),
    "signin.no_row": (
        "이 데스크에 등록되지 않은 사람입니다. 관리자에게 등록을 요청하십시오.",
        "You are not registered at this desk. Ask an Admin to add you.",
    ),
    "signin.provider_no": ("로그인을 확인하지 못했습니다. 다시 하십시오.", "The sign-in was not confirmed. Try again."),
    "signin.provider_away": (
        "로그인 제공자가 답하지 않습니다. 비밀번호로 로그인하거나 잠시 뒤 다시 하십시오.",
        "The sign-in provider does not answer. Use your password, or try again later.",
    ),
    "factor.ask": ("두 번째 확인", "Second factor"),
    "factor.ask_help": (
        "인증 앱의 6자리 코드를 넣으십시오. 휴대폰이 없으면 복구 코드를 쓰십시오.",
        "Enter the 6 digits of your authenticator app. Without your phone, use a recovery code.",
    ),
    "factor.code": ("코드", "Code"),
    "factor.wrong": (
        "코드가 맞지 않습니다. 한 번 쓴 코드는 다시 쓸 수 없습니다.",
        "The code is wrong. A code counts only once.",
    ),
    "factor.late": ("시간이 지났습니다. 처음부터 로그인하십시오.", "Too late. Sign in from the start."),
    "factor.back": ("처음부터", "Start over"),
    "factor.title": ("두 번째 확인 (OTP)", "Second factor (OTP)"),
    "factor.must": (
        "이 역할은 두 번째 확인이 필요합니다. 지금 등록해야 계속할 수 있습니다.",
        "Your role needs a second factor. Enrol now to go on.",
    ),
    "factor.first": ("먼저 두 번째 확인을 등록하십시오.", "Enrol your second factor first."),
    "factor.scan": (
        "인증 앱(Google Authenticator, 1Password 등)으로 그림을 찍으십시오.",
        "Scan the picture with an authenticator app.",
    ),
    "factor.by_hand": ("찍을 수 없으면 이 글자를 넣으십시오:", "If you cannot scan it, type this:"),
    "factor.prove": ("코드 확인하고 켜기", "Check the code and turn it on"),
    "factor.codes": ("복구 코드", "Recovery codes"),
    "factor.keep": (
        "휴대폰을 잃었을 때 한 번씩 쓸 수 있습니다. 지금만 보입니다. 안전한 곳에 적어 두십시오.",
        "Each works once when your phone is lost. They are shown only now: keep them in a safe place.",
    ),
    "factor.kept": ("적어 두었습니다", "I have kept them"),
    "factor.stands": (
        "켜짐 · {since}부터 · 복구 코드 {left}개 남음. 바꾸려면 지금 코드를 넣으십시오.",
        "On since {since} · {left} recovery codes left. A code of now lets you change it.",
    ),
    "factor.renew": ("새 복구 코드 받기", "New recovery codes"),
    "factor.off": ("끄기", "Turn it off"),
    "factor.to_desk": ("데스크로", "To the desk"),
    "factor.begin": ("두 번째 확인(OTP) 켜기", "Turn on a second factor (OTP)"),
    "factor.manage": ("두 번째 확인(OTP) 관리", "Manage the second factor (OTP)"),
}

_Three = tuple[str, str, str]

REFUSALS: dict[str, tuple[_Three, _Three]] = {
    "factor_there": (
        ("이미 등록되어 있습니다", "두 번째 확인이 켜져 있습니다.", "바꾸려면 먼저 끄십시오."),
        ("It is enrolled already", "A second factor is in force.", "Turn it off first to change it."),
    ),
    "factor_wrong": (
        (
            "두 번째 확인 코드가 맞지 않습니다",
            "지금 코드가 아니거나 이미 쓴 코드입니다.",
            "인증 앱의 다음 코드를 넣으십시오.",
        ),
        ("The second factor is wrong", "It is not the code of now, or was used before.", "Enter the app's next code."),
    ),
    "factor_required": (
        ("끌 수 없습니다", "이 데스크는 이 역할에 두 번째 확인을 요구합니다.", "관리자에게 정책을 물어보십시오."),
        (
            "It cannot be turned off",
            "This desk demands a second factor of your role.",
            "Ask an Admin about the policy.",
        ),
    ),
    "second_admin": (
        (
            "다른 관리자의 승인을 기다립니다",
            "이 데스크는 위험을 키우는 작업에 두 사람을 요구합니다. 아직 아무것도 바뀌지 않았습니다.",
            "다른 관리자가 {minutes}분 안에 '확인 필요'에서 승인해야 합니다.",
        ),
        (
            "It waits for another Admin",
            "This desk wants two people for what adds risk. Nothing has changed yet.",
            "Another Admin must agree under 'Needs you' within {minutes} minutes.",
        ),
    ),
    "own_wish": (
        ("자신의 요청은 승인할 수 없습니다", "두 사람이 필요합니다.", "다른 관리자가 화면에서 승인해야 합니다."),
        ("You cannot agree to your own wish", "It takes two people.", "Another Admin must agree at the screen."),
    ),
    "no_look": (
        ("그런 요청이 없습니다", "요청 {look}을(를) 찾을 수 없습니다.", "화면을 새로 고치십시오."),
        ("There is no such request", "Request {look} was not found.", "Reload the page."),
    ),
    "look_over": (
        ("이미 끝난 요청입니다", "누가 먼저 답했거나 시간이 지났습니다.", "필요하면 다시 요청하십시오."),
        ("The request is over", "Somebody answered it, or its time is up.", "Ask again if it is still needed."),
    ),
    "one_admin": (
        ("켤 수 없습니다", "승인할 두 번째 관리자가 없습니다.", "먼저 관리자를 한 명 더 두십시오."),
        ("It cannot be turned on", "There is no second Admin who could agree.", "Make another Admin first."),
    ),
    "no_proposal": (
        ("그런 진입이 없습니다", "승인 대기 {proposal}을(를) 찾을 수 없습니다.", "화면을 새로 고치십시오."),
        ("There is no such entry", "Entry {proposal} was not found.", "Reload the page."),
    ),
    "proposal_over": (
        ("이미 끝난 진입입니다", "누가 먼저 답했거나 시간이 지났습니다.", "새 신호가 오면 다시 묻습니다."),
        ("The entry is over", "Somebody answered it, or its time is up.", "A new signal asks again."),
    ),
}
