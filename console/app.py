"""The script of the console: every page is declared on every run; the gate in front has checked the session."""

from pathlib import Path

import streamlit as st

from console.components.choices import colour_style
from console.components.figures import Html, join
from console.components.frame import allowed, me, session_cookie, t, wiring
from console.components.live import turned_to
from console.services import alerts, inbox, people
from console.services.people import sign_out
from console.services.permissions import Action
from shared.words import LANGS

HERE = Path(__file__).resolve().parent


def _sign_out() -> None:
    sign_out(wiring().engine, wiring().clock, session_cookie() or "")


def _choose_language() -> None:
    people.set_language(wiring(), me(), str(st.session_state["language"]))


def _choose_colours() -> None:
    people.set_colours(wiring(), me(), str(st.session_state["colours"]))


def _person() -> None:
    """Name, language and the way out, under the menu."""
    actor = me()
    with st.sidebar:
        st.html(join(Html('<p class="lt-note">'), actor.name, Html("<br>"), t(f"role.{actor.role}"), Html("</p>")))
        st.segmented_control(
            t("language"),
            LANGS,
            default=actor.lang,
            required=True,
            format_func=lambda code: {"ko": "한국어", "en": "English"}[code],
            key="language",
            on_change=_choose_language,
            label_visibility="collapsed",
        )
        st.segmented_control(
            t("colours"),
            people.COLOURS,
            default=people.colours(wiring(), actor),
            required=True,
            format_func=lambda one: t(f"colours.{one}"),
            key="colours",
            on_change=_choose_colours,
            label_visibility="collapsed",
        )
        st.link_button(t("password.title"), "/password", icon=":material/key:", width="stretch")
        st.button(t("signout"), key="signout", icon=":material/logout:", on_click=_sign_out, width="stretch")


st.set_page_config(page_title="LetsTrade", page_icon=str(HERE / "mark.png"), layout="wide", initial_sidebar_state=210)
st.html(HERE / "components" / "desk.css")
person = me()
waiting = len([line for line in alerts.inbox(wiring(), person) if line.severity != "info"])
matters = inbox.matters(wiring(), person).count
page = st.navigation(
    [
        st.Page(
            "views/control.py", title=t("nav.control"), icon=":material/monitoring:", url_path="control", default=True
        ),
        st.Page(
            "views/inbox.py",
            title=f"{t('nav.inbox')} ({matters})" if matters else t("nav.inbox"),
            icon=":material/inbox:",
            url_path="inbox",
        ),
        st.Page("views/account.py", title=t("nav.account"), icon=":material/account_balance:", url_path="account"),
        st.Page("views/positions.py", title=t("nav.positions"), icon=":material/pie_chart:", url_path="positions"),
        st.Page("views/orders.py", title=t("nav.orders"), icon=":material/receipt_long:", url_path="orders"),
        st.Page("views/risk.py", title=t("nav.risk"), icon=":material/shield:", url_path="risk"),
        st.Page("views/rules.py", title=t("nav.rules"), icon=":material/rule:", url_path="rules"),
        st.Page("views/research.py", title=t("nav.research"), icon=":material/science:", url_path="research"),
        st.Page("views/profit.py", title=t("nav.profit"), icon=":material/payments:", url_path="profit"),
        st.Page("views/market.py", title=t("nav.market"), icon=":material/candlestick_chart:", url_path="market"),
        st.Page("views/schedule.py", title=t("nav.schedule"), icon=":material/schedule:", url_path="schedule"),
        st.Page("views/alerts.py", title=t("nav.alerts"), icon=":material/notifications:", url_path="alerts"),
        st.Page("views/logs.py", title=t("nav.logs"), icon=":material/article:", url_path="logs"),
        st.Page("views/system.py", title=t("nav.system"), icon=":material/dns:", url_path="system"),
        st.Page("views/people.py", title=t("nav.people"), icon=":material/group:", url_path="people"),
        st.Page("views/help.py", title=t("nav.help"), icon=":material/help:", url_path="help"),
        st.Page(
            "views/account_new.py",
            title=t("nav.account_new"),
            icon=":material/add_card:",
            url_path="account-new",
            visibility="visible" if allowed(person, Action.ACCOUNT_ADD) else "hidden",
        ),
    ],
    expanded=True,  # folded, the menu would say "View more" in Streamlit's own English
)
st.set_page_config(page_title=f"({waiting}) {page.title} · LetsTrade" if waiting else f"{page.title} · LetsTrade")
_person()
colour_style()
turned_to(page.url_path)
page.run()
