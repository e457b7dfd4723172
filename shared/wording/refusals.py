"""Refusals: what happened, why, what to do now."""

from shared.wording import people

_Three = tuple[str, str, str]

REFUSALS: dict[str, tuple[_Three, _Three]] = {
    "forbidden": (
        ("이 작업은 허용되지 않습니다", "현재 역할({role})에는 이 권한이 없습니다.", "관리자에게 요청하십시오."),
        ("You may not do this", "Your present role ({role}) does not allow it.", "Ask an Admin."),
    ),
    "live_needs_admin": (
        ("실전 계좌는 관리자만 켤 수 있습니다", "실제 돈이 움직이는 작업입니다.", "관리자에게 요청하십시오."),
        ("Only an Admin may turn this on for a LIVE account", "Real money moves.", "Ask an Admin."),
    ),
    "not_unproven": (
        ("이미 확인된 주문입니다", "주문 {order}의 결과가 그사이 확인되었습니다.", "화면을 새로 고치십시오."),
        ("The order is settled", "What became of order {order} was found out meanwhile.", "Reload the page."),
    ),
    "still_acting": (
        (
            "그 호스트가 아직 이 계좌를 맡고 있습니다",
            "{host}이(가) 임대를 갱신하고 있습니다.",
            "그 호스트에서 봇을 먼저 멈추십시오.",
        ),
        ("That host still acts for the account", "{host} renews its lease.", "Stop the bot on that host first."),
    ),
    "no_job": (
        ("그런 작업이 없습니다", "{job}은(는) 일정에 없습니다.", "일정을 새로 고치십시오."),
        ("There is no such job", "{job} is not in the schedule.", "Reload the schedule."),
    ),
    "bad_at_close": (
        ("마감 전 처리를 알 수 없습니다", "{action}, {minutes}분은 쓸 수 없습니다.", "1–120분 사이에서 고르십시오."),
        ("Not an action before the close", "{action}, {minutes} min cannot be used.", "Choose 1 to 120 minutes."),
    ),
    "bad_fee": (
        ("수수료 계약을 쓸 수 없습니다", "{why}", "날짜와 요율(0–5%)을 고쳐 다시 적으십시오."),
        ("The fee contract cannot be used", "{why}", "Mend dates and rates (0–5 %) and enter it again."),
    ),
    "bad_flow": (
        ("입출금을 적을 수 없습니다", "금액은 0이 아니어야 하고, 날짜는 앞날일 수 없습니다.", "고쳐 다시 적으십시오."),
        (
            "The money cannot be entered",
            "The amount must not be 0, the day not in the future.",
            "Mend and enter again.",
        ),
    ),
    "word_missing": (
        ("확인 단어가 맞지 않습니다", "{word}을(를) 그대로 입력해야 합니다.", "단어를 입력하고 다시 누르십시오."),
        ("The word is missing", "{word} must be typed as it stands.", "Type the word and press again."),
    ),
    "reauth": (
        ("비밀번호가 맞지 않습니다", "긴급정지는 본인 확인 뒤에 내려집니다.", "지금 비밀번호를 다시 입력하십시오."),
        ("The password is wrong", "Lowering the kill switch asks who you are.", "Enter your current password again."),
    ),
    "reauth_throttled": (
        ("지금은 확인할 수 없습니다", "틀린 비밀번호가 너무 많았습니다.", "5분 뒤 다시 하거나 CLI를 쓰십시오."),
        ("You cannot be checked now", "Too many wrong passwords.", "Wait five minutes, or use the command line."),
    ),
    "signed_out": (
        ("로그인이 끝났습니다", "세션이 만료되었거나 사용자가 중지되었습니다.", "다시 로그인하십시오."),
        ("You are signed out", "The session has ended or the user was disabled.", "Sign in again."),
    ),
    "no_account": (
        (
            "계좌를 찾을 수 없습니다",
            "계좌 {account}은(는) 없거나 볼 권한이 없습니다.",
            "계좌 목록에서 다시 고르십시오.",
        ),
        ("No such account", "Account {account} does not exist or is not yours to see.", "Choose one from the list."),
    ),
    "no_backtest": (
        ("백테스트를 찾을 수 없습니다", "{run}번 백테스트가 없습니다.", "연구 화면에서 다시 고르십시오."),
        ("No such backtest", "There is no backtest {run}.", "Choose one on the research page."),
    ),
    "bad_values": (
        ("조절값을 읽을 수 없습니다", "{line}", "fast=5,10,20 또는 fast=5:25:5 처럼 쓰십시오."),
        ("The values cannot be read", "{line}", "Write fast=5,10,20 or fast=5:25:5."),
    ),
    "no_bars_came": (
        ("{symbol} {timeframe} 봉을 받지 못했습니다", "{why}", "봇이 도는지, 증권사에 그 봉이 있는지 보십시오."),
        ("No {timeframe} bars of {symbol} came", "{why}", "See whether the bot runs and its broker has them."),
    ),
    "drill_needs_sim": (
        (
            "훈련을 시작하지 않았습니다",
            "'{account}'은(는) 로컬 거래소의 계좌가 아닙니다.",
            "로컬 거래소(SIM) 계좌를 고르십시오.",
        ),
        ("The drill was not started", "'{account}' is not on the local exchange.", "Choose a SIM account."),
    ),
    "drill_no_number": (
        (
            "훈련을 시작하지 않았습니다",
            "로컬 거래소가 '{account}'의 계좌번호를 하나로 찾지 못했습니다.",
            "계좌를 시작해 한 번 접속하게 한 뒤 다시 하십시오.",
        ),
        (
            "The drill was not started",
            "The local exchange does not know one account number for '{account}'.",
            "Start the account so that it connects once, then try again.",
        ),
    ),
    "bad_rate": (
        (
            "환율을 저장하지 않았습니다",
            "1달러에 {rate}원은 믿을 수 없는 값입니다.",
            "500과 5000 사이의 값을 넣으십시오.",
        ),
        ("The rate was not saved", "{rate} won for a dollar is not believable.", "Enter a value between 500 and 5000."),
    ),
    "no_session": (
        ("로그인을 찾을 수 없습니다", "이미 끝났거나 다른 사람의 것입니다.", "목록을 새로 고치십시오."),
        ("No such sign-in", "It has ended, or it is somebody else's.", "Refresh the list."),
    ),
    "not_held": (
        ("청산할 것이 없습니다", "이 계좌에 {symbol} 보유 기록이 없습니다.", "잔고를 새로 고쳐 확인하십시오."),
        ("There is nothing to close", "This account holds no {symbol}.", "Look at the positions again."),
    ),
    "no_command": (
        ("요청을 찾을 수 없습니다", "요청 {command}이(가) 없습니다.", "다시 요청하십시오."),
        ("No such request", "There is no request {command}.", "Ask again."),
    ),
    "no_alert": (
        ("알림을 찾을 수 없습니다", "이미 지워졌습니다.", "알림 화면을 다시 여십시오."),
        ("No such alert", "It is gone.", "Open the alerts page again."),
    ),
    "no_order": (
        ("주문을 찾을 수 없습니다", "주문 {order}이(가) 없습니다.", "주문 화면에서 다시 고르십시오."),
        ("No such order", "There is no order {order}.", "Choose one on the orders page."),
    ),
    "no_rule": (
        ("규칙을 찾을 수 없습니다", "규칙 {rule}이(가) 없습니다.", "규칙 화면에서 다시 고르십시오."),
        ("No such rule", "There is no rule {rule}.", "Choose one on the rules page."),
    ),
    "bad_symbol": (
        ("종목코드를 쓸 수 없습니다", "{symbol}은(는) {market} 종목코드가 아닙니다.", "종목코드를 고치십시오."),
        ("The symbol cannot be used", "{symbol} is not a symbol of {market}.", "Mend the symbol."),
    ),
    "exchange_away": (
        ("로컬 거래소가 답하지 않습니다", "127.0.0.1:{port}: {error}", "letstrade exchange serve"),
        ("The local exchange does not answer", "127.0.0.1:{port}: {error}", "letstrade exchange serve"),
    ),
    "exchange_refused": (
        ("로컬 거래소: {what}", "{why}", "{now}"),
        ("The local exchange: {what}", "{why}", "{now}"),
    ),
    "unknown_drill": (
        ("훈련 {name}이(가) 없습니다", "있는 것: {names}", "letstrade exchange fault --drills"),
        ("There is no drill {name}", "there are: {names}", "letstrade exchange fault --drills"),
    ),
    "no_quote": (
        (
            "시세가 없습니다",
            "{symbol}을(를) 보고 있는 봇이 없습니다.",
            "그 종목의 규칙을 켜거나 봇을 시작하십시오.",
        ),
        ("There is no quote", "No bot watches {symbol}.", "Enable a rule for it, or start the bot."),
    ),
    "bad_order": (
        ("주문을 낼 수 없습니다", "{why}", "값을 고쳐 다시 내십시오."),
        ("This cannot be an order", "{why}", "Mend the value and order again."),
    ),
    "not_cancelable": (
        ("취소할 수 없는 주문입니다", "주문 {order}은(는) 접수 상태가 아닙니다.", "주문 상태를 확인하십시오."),
        ("This order cannot be cancelled", "Order {order} is not resting at the broker.", "Look at its status."),
    ),
    "nickname_taken": (
        ("계좌 이름이 이미 있습니다", "'{nickname}' 계좌가 있습니다.", "다른 이름을 쓰십시오."),
        ("The name is taken", "There is an account '{nickname}'.", "Choose another name."),
    ),
    "bad_nickname": (
        (
            "계좌 이름을 쓸 수 없습니다",
            "2~40자의 글자, 숫자, 공백, . ( ) · - 만 됩니다.",
            "이름을 고쳐 다시 등록하십시오.",
        ),
        ("The name cannot be used", "2–40 letters, digits, spaces and . ( ) · - only.", "Mend the name and try again."),
    ),
    "account_taken": (
        ("이미 등록된 계좌번호입니다", "'{nickname}' 계좌가 이 번호를 씁니다.", "그 계좌에서 키를 바꾸십시오."),
        ("This account number is registered", "'{nickname}' uses it.", "Replace the keys there."),
    ),
    "key_taken": (
        (
            "이미 쓰이는 앱 키입니다",
            "계좌 {account}이(가) 이 키를 씁니다. 키 하나에 계좌 하나입니다.",
            "증권사에서 다른 앱 키를 받으십시오.",
        ),
        ("This app key is in use", "Account {account} uses it; one key serves one account.", "Get another app key."),
    ),
    "bad_key": (
        (
            "키 형식이 맞지 않습니다",
            "{name}: 빈칸 없는 8자 이상의 영문·숫자·기호여야 합니다.",
            "증권사 화면에서 다시 복사하십시오.",
        ),
        ("The key does not look right", "{name}: at least 8 printable characters, no spaces.", "Copy it again."),
    ),
    "bad_account_no": (
        ("계좌번호 형식이 맞지 않습니다", "앞 8자리와 상품코드 2자리가 필요합니다.", "12345678-01 처럼 입력하십시오."),
        ("The account number does not look right", "8 digits and a 2-digit product code.", "Type it like 12345678-01."),
    ),
    "bad_ls_account_no": (
        ("계좌번호 형식이 맞지 않습니다", "LS증권은 숫자 11자리(또는 8+2자리)입니다.", "숫자만 다시 입력하십시오."),
        ("The account number does not look right", "LS uses 11 digits (or 8+2).", "Type the digits again."),
    ),
    "bad_limit": (
        ("한도 값을 쓸 수 없습니다", "{name}: 0 이상의 숫자여야 합니다.", "숫자로 고쳐 다시 저장하십시오."),
        ("The limit cannot be used", "{name}: a number of 0 or more.", "Mend the number and save again."),
    ),
    "no_such_combination": (
        ("없는 조합입니다", "{broker} {market}에는 {env} 환경이 없습니다.", "다른 환경을 고르십시오."),
        ("There is no such combination", "{broker} {market} has no {env} environment.", "Choose another environment."),
    ),
    "confirm_live": (
        ("확인 이름이 다릅니다", "실전 계좌는 이름을 그대로 입력해야 합니다.", "'{nickname}'을(를) 입력하십시오."),
        ("The typed name differs", "A LIVE account asks for its name.", "Type '{nickname}'."),
    ),
    "confirm_last4": (
        ("계좌번호 끝 4자리가 다릅니다", "실전 허가는 계좌번호 끝 4자리도 확인합니다.", "다시 입력하십시오."),
        ("The last four digits differ", "Arming asks for those of the account number.", "Type them again."),
    ),
    "password_unusable": (
        ("비밀번호를 바꾸지 않았습니다", "{problem}", "고쳐서 다시 누르십시오."),
        ("The password was not changed", "{problem}", "Mend it and try again."),
    ),
    "confirm_mock": (
        (
            "확인 이름이 다릅니다",
            "모의투자 계좌의 규칙은 계좌 이름을 입력해야 켜집니다.",
            "'{nickname}'을(를) 입력하십시오.",
        ),
        ("The typed name differs", "A rule on a MOCK account asks for its name.", "Type '{nickname}'."),
    ),
    "reason_missing": (
        ("사유가 없습니다", "이 작업은 기록에 사유를 남깁니다.", "사유를 적으십시오."),
        ("A reason is missing", "It is kept in the audit trail.", "Write the reason."),
    ),
    "no_keys": (
        ("키가 등록되지 않았습니다", "'{nickname}' 계좌에 앱 키가 없습니다.", "계좌 설정에서 키를 등록하십시오."),
        ("There are no keys", "'{nickname}' has no app key.", "Enter the keys in its settings."),
    ),
    "bad_rule": (
        ("규칙을 저장할 수 없습니다", "{problems}", "표시된 곳을 고쳐 다시 저장하십시오."),
        ("The rule cannot be saved", "{problems}", "Mend what is named and save again."),
    ),
    "copy_to_none": (
        (
            "복사할 계좌가 없습니다",
            "계좌를 고르지 않았거나 같은 계좌를 두 번 골랐습니다.",
            "계좌를 하나 이상 고르십시오.",
        ),
        ("There is no account to copy to", "None was chosen, or one of them twice.", "Choose one or more accounts."),
    ),
    "rule_changed": (
        (
            "그 사이 규칙이 바뀌었습니다",
            "다른 사람이 버전 {number}을(를) 저장했습니다.",
            "새 내용을 불러온 뒤 다시 고치십시오.",
        ),
        ("The rule has changed meanwhile", "Somebody saved version {number}.", "Load it and edit again."),
    ),
    "confirm_name": (
        ("확인 이름이 다릅니다", "되돌릴 수 없는 작업입니다.", "계좌 이름 '{nickname}'을(를) 그대로 쓰십시오."),
        ("The typed name differs", "This cannot be taken back.", "Type the account's name '{nickname}' as it is."),
    ),
    "no_owner": (
        ("명의를 찾을 수 없습니다", "명의 {owner}이(가) 없습니다.", "위험 화면을 새로 여십시오."),
        ("No such owner", "There is no owner {owner}.", "Open the risk page again."),
    ),
    "no_version": (
        ("버전을 찾을 수 없습니다", "규칙 {rule}에 버전 {number}이(가) 없습니다.", "버전 목록에서 고르십시오."),
        ("No such version", "Rule {rule} has no version {number}.", "Choose one of its versions."),
    ),
    "bad_email": (
        ("이메일을 쓸 수 없습니다", "'{email}'은(는) 이메일이 아닙니다.", "name@example.com 처럼 쓰십시오."),
        ("The email cannot be used", "'{email}' is not an email.", "Write it like name@example.com."),
    ),
    "email_taken": (
        ("이미 있는 사용자입니다", "{email}", "다른 이메일을 쓰거나 그 사용자의 역할을 바꾸십시오."),
        ("The user exists", "{email}", "Use another email, or change that user's role."),
    ),
    "no_user": (
        ("사용자를 찾을 수 없습니다", "{user}", "사용자 목록을 보십시오: letstrade user list"),
        ("No such user", "{user}", "Look at the list: letstrade user list"),
    ),
    "bad_auth_uid": (
        ("Supabase 사용자 번호가 아닙니다", "{uid}", "Supabase의 Authentication → Users에서 UID를 복사하십시오."),
        ("Not the id of a Supabase user", "{uid}", "Copy the UID from Authentication → Users of the project."),
    ),
    "auth_uid_taken": (
        ("이미 이어진 Supabase 사용자입니다", "{email}", "그 사람을 먼저 끊으십시오: letstrade user link {email}"),
        ("This Supabase user is linked already", "{email}", "Unlink that person first: letstrade user link {email}"),
    ),
    "last_admin": (
        ("마지막 관리자입니다", "관리자가 없으면 긴급정지를 내릴 사람이 없습니다.", "다른 관리자를 먼저 만드십시오."),
        ("This is the last Admin", "Nobody could lower the kill switch.", "Make another Admin first."),
    ),
    "bad_wish": (
        ("설정을 읽을 수 없습니다", "'{wish}'", "23:00-07:00, 16:00, FILL=off 처럼 쓰십시오."),
        ("The setting cannot be read", "'{wish}'", "Write it like 23:00-07:00, 16:00, FILL=off."),
    ),
    "no_token": (
        ("토큰을 찾을 수 없습니다", "토큰 {token}이(가) 없습니다.", "letstrade token list"),
        ("No such token", "There is no token {token}.", "letstrade token list"),
    ),
    "no_webhook": (
        ("웹훅을 찾을 수 없습니다", "웹훅 {webhook}이(가) 없습니다.", "letstrade webhook list"),
        ("No such webhook", "There is no webhook {webhook}.", "letstrade webhook list"),
    ),
    "not_live": (
        ("실전 계좌가 아닙니다", "'{nickname}'에는 실전 승인이 필요 없습니다.", "실전 계좌를 고르십시오."),
        ("Not a LIVE account", "'{nickname}' needs no approval.", "Choose a LIVE account."),
    ),
    "bad_hours": (
        ("승인 시간을 쓸 수 없습니다", "0보다 크고 744시간(31일) 이하여야 합니다.", "시간을 고치십시오."),
        ("The approval's length cannot be used", "More than 0 and at most 744 hours (31 days).", "Mend the hours."),
    ),
    "account_busy": (
        (
            "지금은 보관할 수 없는 계좌입니다",
            "'{nickname}'이(가) 가동 중이거나 보유 종목 또는 미체결 주문이 있습니다.",
            "정지하고 정리한 뒤 다시 하십시오.",
        ),
        ("The account cannot be archived now", "'{nickname}' runs, holds or has open orders.", "Stop and flatten it."),
    ),
    "not_proposable": (
        (
            "제안을 받지 않는 규칙입니다",
            "규칙 {rule}이(가) 꺼져 있거나 {symbol}을(를) 거래하지 않습니다.",
            "규칙을 확인하십시오.",
        ),
        ("The rule takes no such proposal", "Rule {rule} is off or does not trade {symbol}.", "Look at the rule."),
    ),
    "not_live_ready": (
        (
            "실전에서 켤 수 없는 규칙입니다",
            "빠진 것: {missing}",
            "규칙과 한도를 채우거나 관리자가 사유를 남기고 면제하십시오.",
        ),
        ("The rule is not ready for LIVE", "Missing: {missing}", "Complete it, or an Admin waives it with a reason."),
    ),
}

REFUSALS |= people.REFUSALS


def words() -> dict[str, tuple[str, str]]:
    """Every part as a key of its own: refuse.<code>.what | why | now."""
    parts = ("what", "why", "now")
    return {
        f"refuse.{code}.{part}": (korean[i], english[i])
        for code, (korean, english) in REFUSALS.items()
        for i, part in enumerate(parts)
    }
