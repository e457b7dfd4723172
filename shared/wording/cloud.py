"""Words of the hosted side: sizes of the store, the line of changes, uploads."""

WORDS: dict[str, tuple[str, str]] = {
    "sizes.title": ("저장소 크기와 보관 기간", "Size of the store, and how long rows are kept"),
    "sizes.measure": ("표별 크기 재기", "Measure the tables"),
    "sizes.measure_help": (
        "SQLite 파일을 끝까지 읽습니다: 큰 파일은 몇 초 걸립니다.",
        "Reads the whole SQLite file: some seconds for a large one.",
    ),
    "sizes.measured": ("{age} 잰 크기", "Measured {age}"),
    "sizes.size": ("크기", "Size"),
    "sizes.kept": ("보관", "Kept"),
    "sizes.after": ("{days}일 뒤 {becomes}", "after {days} days {becomes}"),
    "sizes.for_good": ("계속", "for good"),
    "sizes.untold": ("이 데이터베이스는 표 크기를 알려주지 않습니다", "This database does not tell the size of tables"),
    "sizes.free_tier": (
        "보이는 표는 Supabase 무료 등급(500 MB)의 {share}%입니다",
        "The tables shown are {share} % of Supabase's free tier (500 MB)",
    ),
    "sizes.line.live": (
        "Supabase Realtime 연결됨: 바뀌면 바로 보입니다",
        "Supabase Realtime is connected: changes show at once",
    ),
    "sizes.line.polling": (
        "Supabase Realtime 끊김 ({why}): 폴링으로 봅니다",
        "Supabase Realtime is away ({why}): pages poll",
    ),
    "sizes.line.off": ("변경은 폴링으로 봅니다", "Changes are found by polling"),
    "cloud.no_service_key": ("서비스 키가 없습니다", "the service key is missing"),
    "cloud.no_project": ("Supabase 프로젝트가 없습니다", "no Supabase project"),
    "cloud.refused": ("Supabase {part} 거부", "Supabase {part} refused"),
    "cloud.away": ("Supabase {part}에 닿지 않습니다", "Supabase {part} does not answer"),
    "cloud.not_vouched": ("Supabase가 신원을 확인하지 않았습니다", "Supabase does not vouch for this person"),
    "cloud.upload": ("Supabase에 올리기", "Upload to Supabase"),
    "cloud.uploaded": ("올렸습니다: {path} (링크 7일)", "Uploaded: {path} (link for 7 days)"),
}
