"""The official samples made ready: their own settings file, and each function by its own file of examples_llm."""

import importlib.util
import sys
from pathlib import Path

from reporting import GIVEN

REPO, SERVER = Path(GIVEN["repo"]), GIVEN["server"]
CONFIG = Path.home() / "KIS" / "config"
CONFIG.mkdir(parents=True, exist_ok=True)
hosts = GIVEN["hosts"]
cano, product = (GIVEN["live"] if SERVER == "prod" else GIVEN["mock"]).split("-")
(CONFIG / "kis_devlp.yaml").write_text(f"""
my_app: "PSofficial"
my_sec: "secret"
paper_app: "PSofficialpaper"
paper_sec: "secret"
my_htsid: "HTSID01"
my_acct_stock: "{cano}"
my_acct_future: "{cano}"
my_paper_stock: "{cano}"
my_paper_future: "{cano}"
my_prod: "{product}"
prod: "{hosts["openapi.koreainvestment.com:9443"]}"
vps: "{hosts["openapivts.koreainvestment.com:29443"]}"
ops: "{hosts["ops.koreainvestment.com:21000"]}"
vops: "{hosts["ops.koreainvestment.com:31000"]}"
my_token: ""
my_agent: "sample"
""")
sys.path.insert(0, str(REPO / "examples_llm"))
import kis_auth as ka  # noqa: E402, F401

ENV = "real" if SERVER == "prod" else "demo"
ACCOUNT = {"cano": cano, "acnt_prdt_cd": product}
TODAY = GIVEN["today"]
tag = "" if SERVER == "prod" else "mock "


def sample(kind, name):
    """One function of examples_llm."""
    path = REPO / "examples_llm" / kind / name / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{kind}_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def us(name, **given):
    return sample("overseas_stock", name)(**given)


def kr(name, **given):
    return sample("domestic_stock", name)(**given)
