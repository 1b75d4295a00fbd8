"""Faults against SEC: secrets and trust."""

from __future__ import annotations

from typing import Any

from conformance.contract import AuthenticationFailed, BlockConnection
from tests.faulty_providers.corpus.acc import is_granted
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle, Wire
from tests.faulty_providers.operators import lie, log_it, note_on_error, print_it, swap_error
from tests.faulty_providers.when import argument


def password(call: Call) -> str:
    """The administrator's password."""
    about = call.arguments.get("request") or call.arguments["store"].request
    return str(about.secrets["password"].reveal())


def chap_secret(call: Call) -> str:
    """The host's secret."""
    driver: Any = call.others["driver"]
    if not is_granted(call):
        return "none"
    connection: BlockConnection = driver.connection(*(call.arguments[each] for each in ("store", "target", "host")))
    chap = getattr(connection.paths[0], "chap", None)
    return chap.secret.reveal() if chap else "none"


def keep_password(call: Call) -> Any:
    """Note the password with the store."""
    return lie(details=lambda details: {**details, "password": password(call)})(call)


FAULTS = (
    Fault("SEC-001", "logs the password", LifeCycle.initialize, log_it(password), Kind.SECRET),
    Fault("SEC-001", "prints the secrets of hosts", Driver.connection, print_it(chap_secret), Kind.SECRET),
    Fault("SEC-001", "notes the password on errors", LifeCycle.initialize, note_on_error(password), Kind.SECRET),
    Fault(
        "SEC-001",
        "says the password that was refused",
        LifeCycle.initialize,
        lambda call: swap_error(AuthenticationFailed, lambda error: AuthenticationFailed(password(call)))(call),
        Kind.SECRET,
    ),
    Fault("SEC-001", "keeps the password with the store", LifeCycle.initialize, keep_password, Kind.SECRET),
    Fault(
        "SEC-001",
        "logs what it sends when hosts are let in",
        Wire.CreateInitiators,
        log_it(lambda call: str(call.arguments)),
        Kind.SECRET,
    ),
    Fault("SEC-002", "does not check certificates", Wire.connect, lambda call: call.proceed(verify=False), Kind.SECRET),
    Fault(
        "SEC-002",
        "tries without a check when a certificate is not trusted",
        Wire.connect,
        lambda call: unchecked(call),
        Kind.SECRET,
        argument("verify", bool),
    ),
)


def unchecked(call: Call) -> Any:
    """Connect all the same."""
    try:
        return call.proceed()
    except OSError:
        return call.proceed(verify=False)
