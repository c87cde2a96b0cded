# One image for every process. The command says which one runs (Procfile). The offline engine's package holds its weights.
FROM node:20-slim AS page
WORKDIR /build/webapp
COPY webapp/package.json webapp/package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY webapp/static static
RUN npm run --silent vendor

FROM python:3.11-slim AS packages
COPY requirements.txt .
RUN python -m venv /opt/earshot && /opt/earshot/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /app earshot
COPY --from=packages /opt/earshot /opt/earshot
WORKDIR /app
COPY state state
COPY workers workers
COPY webapp webapp
COPY scripts scripts
COPY docs/OPERATING.md docs/OPERATING.md
COPY --from=page /build/webapp/static/vendor webapp/static/vendor
ENV PATH=/opt/earshot/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000 8001
CMD ["gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.app:create_app()"]
