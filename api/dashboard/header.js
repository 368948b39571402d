// The bar above every page: where you are, how fresh this is, and how it looks.

import { html, useRef, useState } from "./html.js";
import { setActor, useActor } from "./actor.js";
import { isWall, knownUpTo, now, secondsBehind, speed } from "./clock.js";
import { Typed } from "./fields.js";
import { clockTime, number, span } from "./format.js";
import { useNow, useStatus } from "./hooks.js";
import { choose, current, LANGUAGES, t } from "./i18n.js";
import { get } from "./api.js";
import { go, link } from "./router.js";
import { setTheme, theme, THEMES } from "./theme.js";

export const PAGES = ["incidents", "at-risk", "worklist", "backlogs", "metrics", "feeds"];

export function Header({ page, onHelp }) {
  return html`<header class="top">
    <a class="brand" href=${link("incidents")}><img src="icon.svg" alt="" width="26" height="26" />${t("title")}</a>
    <nav aria-label=${t("nav.label")}>
      ${PAGES.map(
        (one) => html`<a href=${link(one)} aria-current=${one === page ? "page" : null}>${t(`nav.${one}`)}</a>`,
      )}
    </nav>
    <${Search} />
    <div class="tools">
      <${Freshness} />
      <${Actor} />
      <label class="hidden" for="language">${t("tool.language")}</label>
      <select id="language" value=${current()} onChange=${(event) => choose(event.target.value)}>
        ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} selected=${code === current()} lang=${code}>${name}</option>`)}
      </select>
      <label class="hidden" for="theme">${t("tool.theme")}</label>
      <select id="theme" onChange=${(event) => setTheme(event.target.value)}>
        ${THEMES.map((one) => html`<option value=${one} selected=${one === theme()}>${t(`theme.${one}`)}</option>`)}
      </select>
      <button type="button" class="icon" onClick=${onHelp} aria-label=${t("help.title")}>?</button>
    </div>
  </header>`;
}

function Search() {
  const field = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    const wanted = field.current.value.trim();
    if (!wanted) return;
    const found = await get("/v1/search", { q: wanted }).catch(() => ({ order_ids: [] }));
    if (found.order_ids.length > 1) go("incidents", null, { order: found.order_ids[0], state: "all" });
    else go("orders", found.order_ids[0] ?? wanted);
    field.current.blur();
  };
  return html`<form class="search" role="search" onSubmit=${submit}>
    <label class="hidden" for="search">${t("search.label")}</label>
    <input id="search" ref=${field} type="search" placeholder=${t("search.hint")} autocomplete="off" maxlength="128" />
    <kbd aria-hidden="true">/</kbd>
  </form>`;
}

// Who works here; stands in the log beside everything that is done from this page.
function Actor() {
  const name = useActor();
  const [wrong, say] = useState(false);
  return html`<span class="actor"><label for="actor">${t("actor.label")}</label>
    <${Typed} id="actor" name="actor" value=${name} placeholder=${t("actor.nobody")} autocomplete="username" spellcheck=${false}
      aria-invalid=${String(wrong)} aria-describedby=${wrong ? "actor-wrong" : null} title=${t("actor.hint")} onDone=${(who) => say(!setActor(who))} />
    ${wrong ? html`<span id="actor-wrong" class="failure small" role="alert">${t("actor.wrong")}</span>` : null}</span>`;
}

// Known up to 09:12: everything that happened before has been read.
function Freshness() {
  useNow();
  const status = useStatus();
  const known = knownUpTo();
  const behind = secondsBehind();
  const nothing = t(status.status === "away" ? "fresh.away" : "fresh.unknown");
  const text = known === null ? nothing : t("fresh.known", { at: clockTime(known, now()) });
  const detail = behind === null ? "" : t("fresh.behind", { span: span(behind * 1000) });
  const kind = status.status !== "live" ? "stale" : behind === null || behind > 60 ? "old" : "fresh";
  return html`<span class="clocks">
    ${isWall() ? null : html`<span class="badge demo" title=${t("demo.hint")}>${speed() ? t("demo.clock", { at: clockTime(now()), speed: number(speed()) }) : t("demo.ended", { at: clockTime(now()) })}</span>`}
    <a class=${`badge ${kind}`} href=${link("feeds")} title=${t("fresh.hint")} id="freshness">
      <span class="dot" aria-hidden="true"></span>${text}${detail ? html`<span class="wide"> · ${detail}</span>` : null}
    </a>
  </span>`;
}

export function StaleBanner() {
  useNow();
  const status = useStatus();
  if (status.status === "away") {
    return html`<div class="banner" role="alert">${status.why} ${t("away.banner", { span: span(Date.now() - status.since) })}</div>`;
  }
  if (status.status !== "stale") return null;
  return html`<div class="banner" role="alert">${t("stale.banner", { span: span(Date.now() - status.since) })}</div>`;
}
