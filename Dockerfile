# One desk in one container: the same supervisord as `make run`. The volume /desk/var holds keys, store, journals, logs.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /desk
COPY requirements.txt ./
RUN python -m venv .venv && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY alembic.ini supervisord.conf pyproject.toml LICENSE README.md ./
COPY shared ./shared
COPY brokers ./brokers
COPY bots ./bots
COPY console ./console
COPY docs ./docs
RUN .venv/bin/python -m bots.backtest.native || true
RUN useradd --uid 10001 --no-create-home desk && mkdir -p var && chown -R desk var
USER desk
VOLUME /desk/var
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s CMD [".venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
CMD ["sh", "-c", ".venv/bin/python -m console.cli setup && exec .venv/bin/supervisord -n -c supervisord.conf"]
