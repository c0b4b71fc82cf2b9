"""What a person did at a page, apart from what the page does by itself.

Timers refresh pages and claims as long as a page is open. Only keys, clicks, touches and scrolling
keep a session or a claim from ending, and each page says when the last of these was.
"""

from typing import Any, Final

from app.guarded import QUIET

ADDRESS: Final = "/acted"
"""Told by every page, at most once in half a minute, that its person did something."""
LISTEN = """() => {
  if (window.l2dActed) return;
  window.l2dActed = Date.now();
  let told = 0;
  const acted = event => {
    if (!event.isTrusted) return;
    window.l2dActed = Date.now();
    if (window.l2dActed - told < 30000) return;
    told = window.l2dActed;
    navigator.sendBeacon(".%s");
  };
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"])
    document.addEventListener(kind, acted, {capture: true, passive: true});
}""".replace("%s", ADDRESS)
IN_ZONE_AND_IDLE: dict[str, Any] = {
    "js": """(zone, idle, ...rest) => [
  Intl.DateTimeFormat().resolvedOptions().timeZone,
  Math.round((Date.now() - (window.l2dActed || Date.now())) / 1000), ...rest]""",
    **QUIET,
}
"""For a handler whose first inputs are hidden: the time zone, and for how long, in seconds, nobody
did anything here."""
