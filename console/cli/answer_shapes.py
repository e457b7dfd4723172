"""The answers of the command line, verb by verb, in the words of console/cli/answers.py."""

from __future__ import annotations

_WHOSE = "account_id:int account:text environment:text"
SHAPES: dict[str, str] = {
    "error": "code:text what:text why:text now:text",
    # accounts and bots
    "account": (
        "id:int nickname:text broker:text market:text environment:text last4:text enabled:flag status:text why:text "
        "has_keys:flag armed_until:moment?"
    ),
    "account_settings": (
        "id:int nickname:text broker:text market:text environment:text wire:text last4:text enabled:flag "
        "desired_generation:int config_version:int health_status:text health_reason:text last_heartbeat:moment? "
        "armed_until:moment? max_order_amount:money? max_symbol_amount:money? max_daily_buy:money? max_daily_loss:money? "
        "max_trades_per_day:int? price_collar_pct:money max_data_age_s:int entries_on_fallback:flag failover:text "
        "host_group:text created_at:moment"
    ),
    "bot": (
        "account_id:int nickname:text environment:text enabled:flag status:text why:text heartbeat_age_s:number? "
        "feed_age_s:number? feed_source:text kill:text positions:int unguarded:int open_orders:int decision:text?"
    ),
    "log": f"id:int {_WHOSE} rule_id:int? level:text message:text ctx:{{any}} created_at:moment",
    # rules
    "rule": f"id:int {_WHOSE} name:text symbol:text enabled:flag version:int updated_at:moment",
    "rule_version": "number:int created_by:text created_at:moment note:text",
    "knob": "name:text default:number min:number? max:number? description:text description_en:text",
    "preset": (
        "name:text title:text title_en:text description:text description_en:text timeframe:text tags:[text] params:[knob] "
        "file:text picture:text"
    ),
    "rule_change": "path:text before:text? after:text? effect:text",
    "problem": "path:text line:int? why:text why_en:text now:text",
    "decision": (
        "symbol:text verdict:text reason:text text:text steps:[step] gates:[gate] counts:{int} at:moment recomputed:text?"
    ),
    "step": "path:text label:text left:any operator:text right:any truth:flag?",
    "gate": "code:text text~:text passed:flag",
    "sandbox_error": "code:text line:int? what:text why:text now:text",
    # orders, fills, holdings
    "order": (
        f"id:int {_WHOSE} rule_id:int? broker_order_id:text? symbol:text side:text qty:int filled_qty:int price:money? "
        "avg_fill_price:money? currency:text order_type:text status:text reason:text origin:text placed_at:moment "
        "updated_at:moment"
    ),
    "fill": (
        f"id:int order_id:int {_WHOSE} symbol:text side:text qty:int price:money currency:text commission:money? tax:money? "
        "realized_pnl:money? filled_at:moment"
    ),
    "position": (
        f"{_WHOSE} symbol:text name:text qty:int sellable:int? avg_price:money last_price:money? value:money? "
        "unrealized_pnl:money? pnl_pct:money? currency:text guarded_by:int? stop_price:money? stop_checked_at:moment? "
        "stop_kind:text guard_version:int? guarded_qty:int? priced_at:moment? updated_at:moment"
    ),
    "cash": f"{_WHOSE} currency:text total:money buying_power:money? equity:money? as_of:moment equity_at:moment",
    # what waits, what happened
    "alert": (
        "id:int account_id:int? account:text environment:text kind:text severity:text params:{any} count:int "
        "created_at:moment last_at:moment acknowledged_at:moment? acknowledged_by:text text:text now:text"
    ),
    "moment_told": "at:moment kind:text account:text text:text",
    "matter": (  # of every kind (`kind`); each names only what it has
        "kind:text id~:int account_id~:int? account~:text environment~:text rule_id~:int? rule~:text symbol~:text "
        "side~:text qty~:int filled_qty~:int price~:money? avg_fill_price~:money? order_type~:text currency~:text "
        "reason~:text status~:text origin~:text broker_order_id~:text? placed_at~:moment updated_at~:moment "
        "asked_at~:moment expires_at~:moment asked_by~:text action~:text where~:text payload~:{any} mine~:flag ours~:int "
        "theirs~:int why~:text name~:text sellable~:int? avg_price~:money last_price~:money? value~:money? "
        "unrealized_pnl~:money? pnl_pct~:money? guarded_by~:int? stop_price~:money? stop_checked_at~:moment? "
        "stop_kind~:text guard_version~:int? guarded_qty~:int? priced_at~:moment?"
    ),
    "audit_row": (
        "id:int at:moment actor:text actor_user_id:int? action:text target:text account_id:int? before:{any}? after:{any}? "
        "reason:text source:text previous_hash:text row_hash:text"
    ),
    "kill": "scope:text account:text? level:text effective:text",
    "job": (
        f"{_WHOSE} job:text next_at:moment? missed:text paused:flag last_due:moment? last_end:moment? outcome:text note:text "
        "silent:flag"
    ),
    "job_run": (
        "account_id:int account:text job:text due_at:moment started_at:moment? finished_at:moment? outcome:text note:text"
    ),
    # money
    "day_line": (
        f"{_WHOSE} currency:text day:day status:text equity:money? pnl:money? realized:money? commission:money? tax:money? "
        "fills:int refused:int unknown:int positions:int"
    ),
    "gain": (
        f"{_WHOSE} owner:text symbol:text currency:text sold:int proceeds:money cost:money fees:money gain:money "
        "gain_won:money? without_cost:int"
    ),
    "sale": (
        "account_id:int symbol:text currency:text quantity:int bought_on:day? sold_on:day cost:money proceeds:money "
        "fees:money cost_won:money? proceeds_won:money? fees_won:money? owner:text account:text"
    ),
    "owner_tax": (
        "owner:text environment:text gain_won:money? allowance_used:money? allowance_left:money? tax:money? sales:int "
        "without_cost:int without_rate:int"
    ),
    # people and doors
    "user": (
        "id:int email:text name:text role:text disabled_at:moment? must_change_password:flag service:flag accounts:[int] "
        "groups:[text] second_factor:flag vouched_by:text telegram_ids:[int] created_at:moment auth_uid:text?"
    ),
    "token": (
        "id:int user_id:int name:text scopes:[text] created_at:moment expires_at:moment? revoked_at:moment? "
        "last_used_at:moment?"
    ),
    "webhook": (
        "id:int name:text rule_id:int account_id:int created_at:moment revoked_at:moment? last_used_at:moment?"
    ),
    "delivery": "telegram_id:int delivered:flag why:text",
    # backtests
    "trade": (
        "symbol~:text entry_at:when entry_price:number exit_at:when? exit_price:number? quantity:int pnl:number reason:text"
    ),
    "warning": "code:text text:text count:int lines:[int] at:[when]",
    "metric": "name:text value:number? unit:text ko:text en:text definition:text",
    "combination": (
        "params:{number} final_equity:number? return_pct:number? max_drawdown_pct:number? sharpe:number? trades:int? "
        "win_rate_pct:number? profit_factor:number? error:text"
    ),
    "proof": "name:text verdict:text ko:text en:text figures:{any}",
    "run": ("id:int rule:text status:text progress:number requested_by:text created_at:moment finished_at:moment?"),
    "difference": "cause:text rule_id:int? symbol:text at:moment live:text replayed:text text:text",
    "bars": (
        "market:text symbol:text timeframe:text bars:int first:when? last:when? odd:int path:text environment~:text age_s~:int"
    ),
    "wrong_case": "row:int expected:text got:text",
    # the machine
    "finding": "check:text ok:flag text:text now:text needed:flag",
    "part": "part:text ok:flag text:text instead:text",
    "event": (
        "seq:int at:moment market_at:moment broker:text? env:text? account:text? type:text order_id:text? "
        "orig_order_id:text? symbol:text? side:text? quantity:int? price:money? cum_quantity:int? code:text?"
    ),
    "fault": "id:int match:{any} nth:int count:int action:text args:{any} seen:int fired:int",
    "drill": "name:text case:text ko:text en:text",
    "uploaded": "path:text bytes:int url:text",
    # what the owning bot made of a command
    "command": (
        "command:int account_id:int status:text order_id~:int client_order_id~:text? broker_order_id~:text? symbol~:text "
        "side~:text quantity~:int? price~:money? order_type~:text time_in_force~:text venue~:text? session~:text "
        "filled_quantity~:int reduces~:flag reason~:text note~:text proposal_key~:text by~:text sent~:flag declined~:flag "
        "rule_id~:int? ours~:int theirs~:int shares~:{int} rescale~:flag frozen~:text? number~:text? absent~:flag"
    ),
}


def _items(shape: str) -> str:
    return f"items:[{shape}] as_of:moment"


ANSWERS: dict[str, tuple[str, ...]] = {
    "setup": ("url:text admin:text password:text? new_keys:flag demo_accounts:[text]",),
    "doctor": ("ok:flag items:[finding] as_of:moment",),
    "schema": ("any",),
    "support-bundle": ("file:text files:int bytes:int", "file:text path:text bytes:int url:text"),
    "account list": (_items("account"),),
    "account add": (_items("account"),),
    **dict.fromkeys(("account show", "account limits"), ("account_settings",)),
    **dict.fromkeys(("account enable", "account disable", "account arm", "account disarm"), ("account",)),
    **dict.fromkeys(("bot start", "bot stop", "bot restart"), ("account",)),
    "account archive": ("id:int archived:flag",),
    "account move": ("id:int left:text epoch:int",),
    "credential set": ("account_id:int nickname:text last4:text",),
    "bot status": (_items("bot"),),
    "bot logs": (_items("log"),),
    "rule validate": (
        "valid:flag name:text timeframe:text universe:[text] problems:[problem] warnings:[text]",
        "valid:flag problems:[problem] error:error",
    ),
    **dict.fromkeys(("rule add", "rule enable", "rule disable"), ("rule",)),
    "rule import": (_items("rule"),),
    "rule list": (_items("rule"), _items("preset")),
    "rule show": (f"{SHAPES['rule']} max_position:int? text:text versions:[rule_version]",),
    "rule diff": ("rule_id:int older:int newer:int? text:text changes:[rule_change]? lowers_risk:flag as_of:moment",),
    "rule revert": (f"{SHAPES['rule']} also_open:flag switched_off:flag",),
    "rule archive": ("id:int archived:flag",),
    "rule explain": ("rule_id:int name:text decision:decision? as_of:moment",),
    "strategy check": ("ok:flag fence:text bars:int signals:int error:sandbox_error?",),
    "inbox list": (_items("matter"),),
    **dict.fromkeys((f"inbox {one}" for one in ("approve", "decline", "settle", "lift", "resolve")), ("command",)),
    "order list": (_items("order"),),
    **dict.fromkeys((f"order {one}" for one in ("buy", "sell", "amend", "cancel")), ("command",)),
    "fills list": (_items("fill"),),
    "quote": (
        "symbol:text market:text environment:text last:money bid:money? ask:money? prev_close:money? source:text at:moment "
        "age_s:number",
    ),
    "balance": (_items("cash"),),
    "positions": (_items("position"),),
    "kill raise": (_items("kill"), "scope:text level:text effective:text by:text"),
    "kill lower": (_items("kill"),),
    "kill status": (_items("kill"),),
    **dict.fromkeys(("kill cancel-all", "kill flatten"), ("action:text asked:int",)),
    "schedule list": (_items("job"), _items("job_run")),
    "schedule run": ("{any}",),
    **dict.fromkeys(("schedule enable", "schedule disable"), ("job:text account_id:int enabled:flag",)),
    "alerts list": (_items("alert"),),
    "alerts ack": ("id:int acknowledged:flag",),
    "alerts timeline": (_items("moment_told"),),
    "user list": (_items("user"),),
    "user add": ("id:int email:text role:text password:text? accounts:[int]",),
    **dict.fromkeys((f"user {one}" for one in ("role", "disable", "enable", "link", "factor-reset")), ("user",)),
    "user password": ("id:int password:text",),
    "token add": ("id:int user_id:int scopes:[text] days:int token:text",),
    "token list": (_items("token"),),
    "token revoke": ("id:int revoked:flag",),
    "webhook add": (f"{SHAPES['webhook']} path:text secret:text message:text",),
    "webhook list": (_items("webhook"),),
    "webhook revoke": ("id:int revoked:flag",),
    "telegram setup": ("bot:text? linked:int? people:int",),
    "telegram test": (_items("delivery"),),
    "audit verify": ("ok:flag rows:int broken_at:int? last_hash:text",),
    "audit export": (_items("audit_row"), "file:text rows:int"),
    "report daily": ("items:[day_line] as_of:moment day:day",),
    "report tax": (
        "items:[gain] as_of:moment year:int method:text overseas:[owner_tax]",
        "items:[sale] as_of:moment year:int method:text overseas:[owner_tax]",
    ),
    "backtest run": (
        "engine:text bars:int seconds:number final_equity:number return_pct:number max_drawdown_pct:number sharpe:number? "
        "sharpe_factor:int trades:[trade] warnings:[warning] metrics~:[metric] uploaded~:uploaded",
    ),
    "backtest sweep": (
        "combinations:int bars:int seconds:number sort:text items:[combination] deflated_sharpe:proof?",
    ),
    "backtest check": ("passed:flag checks:[proof]",),
    "backtest queue": ("run",),
    "backtest jobs": (_items("run"),),
    "backtest job": (f"{SHAPES['run']} asked:{{any}} result:{{any}}?",),
    "backtest cancel": ("id:int status:text",),
    "backtest parity": (
        "account_id:int day:day rules:int bars:int judged:int unjudged:int signals:int differences:[difference] causes:{int}",
    ),
    "data import": ("bars",),
    "data list": (_items("bars"),),
    "market check": ("cases:int wrong:[wrong_case] error~:error",),
    "exchange ledger": ("seq:int events:[event]",),
    "exchange fault": (
        "id:int",
        "removed:int",
        "faults:[fault]",
        _items("drill"),
        "name:text removed:int",
        "name:text ko:text en:text does_ko:text does_en:text ends_ko:text ends_en:text faults:[int]",
    ),
    "db upgrade": ("before:text? after:text",),
    "db check": ("ok:flag revision:text? needed:text differences:[text]",),
    "db backup": ("file:text rows:int tables:int bytes:int",),
    "db restore": ("file:text rows:int tables:int",),
    "db move": ("rows:int tables:int compared:flag switched:flag",),
    "backup create": ("folder:text kind:text rows:int keys:flag bytes:int verified:flag",),
    "backup verify": ("ok:flag at:moment kind:text revision:text rows:int keys:flag keys_opened:flag",),
    "backup restore": ("rows:int of:moment entries:flag",),
    "cloud status": (_items("part"),),
    "cloud upload": ("file:text path:text bytes:int url:text",),
    "cloud alerts": ("any",),
    "keys rotate": ("sealed_again:int key_id:text",),
    "keys rotate-kek": ("wrapped:int provider:text",),
}
SILENT = frozenset({"exchange serve", "completion"})  # these answer no --json
