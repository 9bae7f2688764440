//! Who is in front of the browser.
//!
//! Owns: login and logout, and that a request which does something comes from the page: by its origin and by the token of
//! the login. A password is checked as Flight's is, and travels only over TLS or on this machine.
//! <https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Console;
use super::cookie::{self, Cookie};
use super::failure::Failure;
use crate::auth::{Login, password};
use crate::error::{Error, Result, SqlState};

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// A browser that has logged in.
pub(super) struct Visitor {
    pub(super) login: Login,
    cookie: Cookie,
    /// A cookie of a longer life.
    renewed: Option<String>,
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    #[serde(default)]
    password: String,
}

/// Gives a cookie for a password. JSON is what no form of another site can send.
pub(super) async fn login(
    Shared(console): Shared<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    is_of_page(&headers)?;
    let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if !headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(is_json) {
        return Err(foreign("a login is JSON").into());
    }
    let Credentials { user, password } = serde_json::from_slice(&body).map_err(|_| malformed())?;
    let is_encrypted = console.is_encrypted(&headers);
    if console.roles.trusted(&user).is_none() && !is_encrypted && !peer.ip().is_loopback() {
        return Err(unproven("a password may be sent over TLS only").into());
    }
    if user.is_empty() {
        return Err(unproven("no name was given").into());
    }
    let login = permitted(password::check(&console.roles, &user, password, ("http", peer.ip())).await?)?;
    let cookie = Cookie::new(&login.role.name)?;
    let set = cookie.set(&console.seal, console.settings.login_lives, is_encrypted);
    tracing::debug!(user, "logged in to the console");
    Ok(with_cookie(told(&console, &login, &cookie), Some(&set)))
}

/// Takes the cookie away.
pub(super) async fn logout(Shared(console): Shared<Arc<Console>>, headers: HeaderMap) -> Result<Response, Failure> {
    console.visitor_of_page(&headers, None)?;
    let gone = cookie::gone(console.is_encrypted(&headers));
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// Who has logged in, and the token for what is asked from now on.
pub(super) async fn me(Shared(console): Shared<Arc<Console>>, headers: HeaderMap) -> Response {
    match console.visitor(&headers) {
        Ok(visitor) => visitor.answer(told(&console, &visitor.login, &visitor.cookie)),
        Err(_) => {
            let trusts = console.roles.trusted("").is_some();
            let body = json!({ "trusts": trusts, "database": console.settings.database }).to_string();
            (StatusCode::UNAUTHORIZED, [(CONTENT_TYPE, "application/json")], body).into_response()
        }
    }
}

fn told(console: &Console, login: &Login, cookie: &Cookie) -> Response {
    let body = json!({
        "user": login.role.name,
        "superuser": login.role.superuser,
        "token": cookie.token(),
        "database": console.settings.database,
        "version": env!("CARGO_PKG_VERSION"),
    });
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn with_cookie(mut response: Response, set: Option<&str>) -> Response {
    if let Some(set) = set.and_then(|set| set.parse().ok()) {
        response.headers_mut().insert(SET_COOKIE, set);
    }
    response
}

impl Visitor {
    /// The answer, with a cookie of a longer life where the shown one has grown old.
    pub(super) fn answer(&self, response: Response) -> Response {
        with_cookie(response, self.renewed.as_deref())
    }
}

impl Console {
    /// Whose the cookie is: the role may be gone since.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Result<Visitor> {
        let opened = Cookie::open(&self.seal, headers);
        let (cookie, left) = opened.ok_or_else(|| unproven("the login has expired, or there was none"))?;
        let login = self.roles.proven(&cookie.role);
        let login = permitted(login.ok_or_else(|| unproven("the role of this login does not exist"))?)?;
        let lives = self.settings.login_lives;
        let renewed = (left < lives / 2).then(|| cookie.set(&self.seal, lives, self.is_encrypted(headers)));
        Ok(Visitor { login, cookie, renewed })
    }

    /// The same of a request that does something; its token is in a header, or given by its form.
    pub(super) fn visitor_of_page(&self, headers: &HeaderMap, given: Option<&str>) -> Result<Visitor> {
        is_of_page(headers)?;
        let visitor = self.visitor(headers)?;
        let shown = given.or_else(|| headers.get(TOKEN)?.to_str().ok()).unwrap_or_default();
        match visitor.cookie.has_token(shown) {
            true => Ok(visitor),
            false => Err(foreign("the token of the page is wrong")),
        }
    }

    fn is_encrypted(&self, headers: &HeaderMap) -> bool {
        self.settings.is_behind_tls && headers.get(FORWARDED).is_some_and(|protocol| protocol == "https")
    }
}

/// Browsers tell of which site the page is that asks.
fn is_of_page(headers: &HeaderMap) -> Result<()> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let site = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, site)| site);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match site.is_some() && site == host {
        true => Ok(()),
        false => Err(foreign("the request is of another site")),
    }
}

fn permitted(login: Login) -> Result<Login> {
    match login.permitted {
        true => Ok(login),
        false => Err(unproven(&format!("role \"{}\" is not permitted to log in", login.role.name))),
    }
}

fn unproven(message: &str) -> Error {
    Error::new(SqlState::InvalidAuthorizationSpecification, message)
}

fn foreign(message: &str) -> Error {
    Error::new(SqlState::InsufficientPrivilege, message)
}

pub(super) fn malformed() -> Error {
    Error::new(SqlState::ProtocolViolation, "the request is malformed")
}
