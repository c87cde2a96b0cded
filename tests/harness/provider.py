"""An OpenID Connect provider for tests: small, local, and able to misbehave. It signs in the person in `claims`.

It follows OpenID Connect Core 1.0 and RFC 7636. Only the signing of tokens comes from a library.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "earshot", "client-secret-of-the-test"


@dataclass
class Provider:
    """claims: of the next person who signs in. wrong: replaces claims of the token."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    sign_with_another_key: bool = False
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))

    @property
    def settings(self) -> dict[str, str]:
        return {"oidc_issuer": self.url, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}

    def discovery(self) -> Response:
        return jsonify(
            issuer=self.url,
            authorization_endpoint=f"{self.url}/authorize",
            token_endpoint=f"{self.url}/token",
            jwks_uri=f"{self.url}/jwks",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
            code_challenge_methods_supported=["S256"],
        )

    def jwks(self) -> Response:
        return jsonify(keys=[self._key.as_dict(private=False)])

    def authorize(self) -> Response:
        asked = request.args
        assert asked["client_id"] == CLIENT_ID and asked["response_type"] == "code"
        assert "openid" in asked["scope"].split() and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self._codes[code] = asked.to_dict()
        answer = redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        assert isinstance(answer, Response)
        return answer

    def token(self) -> tuple[Response, int]:
        assert request.authorization is not None and request.authorization.password == CLIENT_SECRET
        asked = self._codes.pop(request.form["code"], None)
        verifier = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != request.form["redirect_uri"]
        ):
            return jsonify(error="invalid_grant"), 400
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            **self.claims,
            **self.wrong,
        }
        key = RSAKey.generate_key(2048, {"kid": "1"}) if self.sign_with_another_key else self._key
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)
        return jsonify(access_token="unused", token_type="Bearer", expires_in=60, id_token=token), 200


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider on 127.0.0.1."""
    made = Provider()
    app = Flask("provider")
    app.add_url_rule("/.well-known/openid-configuration", view_func=made.discovery)
    app.add_url_rule("/jwks", view_func=made.jwks)
    app.add_url_rule("/authorize", view_func=made.authorize)
    app.add_url_rule("/token", view_func=made.token, methods=["POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
