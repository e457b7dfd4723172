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
    "approval.waits": ("승인 대기", "needs approval"),
    "approval.left": ("{seconds}초 남음", "{seconds} s left"),
    "approval.market": ("시장가", "at the market"),
    "approval.advice": (
        "규칙 **{rule}** · {reason}. {until}까지 승인하지 않으면 주문하지 않습니다. "
        "승인하면 모든 안전장치를 다시 확인한 뒤 이 수량과 가격 그대로 나갑니다.",
        "Rule **{rule}** · {reason}. Unless approved by {until}, nothing is sent. "
        "Approved, it goes out with this quantity and price once every guard has been asked again.",
    ),
    "approval.approve": ("승인하고 주문", "Approve and send"),
    "approval.decline": ("거절", "Decline"),
    "approval.asked": ("봇에 승인을 전했습니다", "The bot was told to send it"),
    "approval.declined": ("봇에 거절을 전했습니다", "The bot was told to drop it"),
    "approval.answered": ("{what}: {status}", "{what}: {status}"),
    "approval.history": ("지난 승인", "Past approvals"),
    "approval.WAITING": ("승인 대기", "waiting"),
    "approval.SENT": ("주문함", "sent"),
    "approval.DENIED": ("안전장치가 막음", "stopped by a guard"),
    "approval.DECLINED": ("거절함", "declined"),
    "approval.EXPIRED": ("시간 지남", "expired"),
    "confirm.name": ("계좌 이름 '{name}' 입력", "Type the account's name '{name}'"),
    "look.waits": ("두 번째 승인", "second Admin"),
    "look.desk": ("데스크", "desk"),
    "look.account.arm": ("실전 진입 허락", "arm a LIVE account"),
    "look.account.limits": ("계좌 한도 올리기", "raise an account's limits"),
    "look.owner.limits": ("명의 한도 올리기", "raise an owner's limits"),
    "look.kill.lower": ("긴급정지 내리기", "lower the kill switch"),
    "look.policy.set": ("정책 약하게 하기", "weaken a policy"),
    "look.advice": (
        "사유: {reason}. {until}까지 다른 관리자가 승인해야 적용됩니다.",
        "Reason: {reason}. It takes effect only if another Admin agrees by {until}.",
    ),
    "look.mine": ("내가 요청했습니다. 다른 관리자를 기다립니다.", "You asked for it. It waits for another Admin."),
    "look.agree": ("승인하고 적용", "Agree and apply"),
    "look.decline": ("거절", "Decline"),
    "look.take_back": ("요청 거두기", "Take it back"),
    "look.done": ("승인하여 적용했습니다", "Agreed; it is in force"),
    "look.declined": ("적용하지 않습니다", "It will not take effect"),
    "people.factor": ("두 번째 확인", "Second factor"),
    "people.factor_on": ("켜짐", "on"),
    "people.factor_off": ("없음", "none"),
    "people.service": ("토큰 전용", "tokens only"),
    "people.nothing": ("없음", "none"),
    "people.choose": ("바꿀 사람", "Person to change"),
    "people.add": ("사람 추가", "Add a person"),
    "people.add_do": ("추가하고 비밀번호 보기", "Add and show the password"),
    "people.name": ("이름", "Name"),
    "people.accounts": ("볼 수 있는 계좌", "Accounts"),
    "people.groups": ("볼 수 있는 계좌 묶음", "Groups of accounts"),
    "people.groups_help": ("나중에 더해질 계좌도 들어갑니다.", "Accounts that join the group later are included."),
    "people.admin_sees_all": ("관리자는 모든 계좌를 봅니다.", "An Admin sees every account."),
    "people.done": ("바꿨습니다", "Changed"),
    "people.password_once": ("한 번 쓰는 비밀번호", "One-time password"),
    "people.password_help": (
        "지금만 보입니다. 본인에게 직접 전하십시오. 첫 로그인에서 바꿔야 합니다.",
        "Shown only now. Hand it over in person. It must be changed at the first sign-in.",
    ),
    "people.method": ("방법", "By"),
    "people.method.password": ("비밀번호", "password"),
    "people.method.oidc": ("OpenID", "OpenID"),
    "people.method.supabase": ("Supabase", "Supabase"),
    "people.do.scope": ("역할·계좌 바꾸기", "Change role and accounts"),
    "people.do.password": ("비밀번호 초기화", "Reset password"),
    "people.do.factor": ("두 번째 확인 지우기", "Reset second factor"),
    "people.do.sign_out": ("모두 로그아웃", "Sign out everywhere"),
    "people.do.disable": ("사용 중지", "Disable"),
    "people.do.enable": ("다시 사용", "Enable"),
    "people.effect.scope": (
        "다음 요청부터 이 역할과 계좌만 보고 다룹니다.",
        "From the next request on only this role and these accounts.",
    ),
    "people.effect.password": (
        "로그인이 모두 끊기고, 한 번 쓰는 비밀번호를 보여 줍니다.",
        "Every session ends, and a one-time password is shown.",
    ),
    "people.effect.factor": (
        "휴대폰을 잃은 사람을 위한 것입니다. 두 번째 확인과 복구 코드가 지워지고 로그인이 모두 끊깁니다. 본인인지 확인하십시오.",
        "For who lost his phone. The factor, its recovery codes and every session end. Make sure who asks.",
    ),
    "people.effect.sign_out": ("모든 곳에서 로그아웃됩니다.", "Signed out everywhere."),
    "people.effect.disable": (
        "로그인·토큰·텔레그램이 바로 끊깁니다.",
        "Sessions, tokens and Telegram fall silent at once.",
    ),
    "people.effect.enable": ("전의 역할과 계좌로 다시 들어옵니다.", "Back with the role and accounts he had."),
    "policy.title": ("이 데스크의 정책", "Policies of this desk"),
    "policy.help": (
        "바꾸려면 다시 서명합니다. 약하게 하는 것도 기록됩니다.",
        "Changes are signed again and kept on record.",
    ),
    "policy.factor_of": ("두 번째 확인(OTP)을 요구할 역할", "Roles that need a second factor (OTP)"),
    "policy.four_eyes": ("두 사람 확인", "Four eyes"),
    "policy.four_eyes_help": (
        "실전 진입 허락, 한도 올리기, 긴급정지 내리기는 다른 관리자가 승인해야 적용됩니다.",
        "Arming LIVE, raising limits and lowering the kill switch wait for another Admin.",
    ),
    "policy.save": ("정책 저장", "Save the policy"),
    "policy.saved": ("정책을 바꿨습니다", "The policy is changed"),
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
    "bad_group": (
        (
            "그런 묶음이 없습니다",
            "'{group}'은(는) env:SIM, env:MOCK, env:LIVE, owner:번호가 아닙니다.",
            "묶음을 고르십시오.",
        ),
        ("There is no such group", "'{group}' is not env:SIM, env:MOCK, env:LIVE or owner:N.", "Choose a group."),
    ),
    "no_password": (
        ("비밀번호가 없는 사용자입니다", "{email}은(는) 토큰으로만 들어옵니다.", "토큰을 새로 주십시오."),
        ("This user has no password", "{email} signs in with tokens only.", "Give a new token."),
    ),
}
