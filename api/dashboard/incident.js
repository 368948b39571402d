// One incident: what happened, the records that prove it, and what would clear it.

import { html, useEffect } from "./html.js";
import { incidentPath } from "./api.js";
import { now } from "./clock.js";
import { span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t, told } from "./i18n.js";
import { ApiLink, Card, Failure, kindName, Loading, OrderLink, Record, Severity, StatePill, Table, Time } from "./parts.js";
import { link } from "./router.js";

export function IncidentPanel({ id, params }) {
  const { data, error, loading } = useRead(incidentPath(id), {}, { again: (change) => change.incident.id === id });
  useEffect(() => {
    if (matchMedia("(max-width: 900px)").matches) scrollTo(0, 0);
  }, [id]);
  const back = html`<a class="back" href=${link("incidents", null, params)}>← ${t("panel.back")}</a>`;
  if (error && !data) return html`<div>${back}<${Failure} error=${error} /></div>`;
  if (!data || (loading && data.incident.id !== id)) return html`<div>${back}<${Loading} /></div>`;
  return html`<article class="incident" data-id=${id}>
    ${back}
    <${Heading} one=${data.incident} />
    <${Facts} one=${data.incident} episode=${data.episodes.at(-1)} />
    ${data.episodes.toReversed().map((one, place) => html`<${Episode} one=${one} nth=${data.episodes.length - place} of=${data.episodes.length} />`)}
    <footer><${ApiLink} path=${incidentPath(id)} /> <span class="mono minor">${data.incident.id}</span></footer>
  </article>`;
}

function Heading({ one }) {
  useNow();
  const until = one.ended_at ? Date.parse(one.ended_at) : now();
  const age = span(until - Date.parse(one.due_at));
  return html`<header class="heading">
    <div class="pills"><${StatePill} state=${one.state} /><${Severity} grade=${one.severity} />
      ${one.historic ? html`<span class="tag" title=${t("tag.historic.hint")}>${t("tag.historic")}</span>` : null}
      ${one.stale ? html`<span class="tag warn" title=${t("tag.stale.hint")}>${t("tag.stale")}</span>` : null}
    </div>
    <h1>${kindName(one.kind)} <span class="mono">${one.subject}</span></h1>
    <p class="age-line">
      ${one.state === "open" ? t("panel.late_for", { span: age }) : one.state === "ended" ? t("panel.was_late", { span: age }) : t("panel.never")}
      <span class="minor"> · ${t("panel.since")} <${Time} at=${one.due_at} />${one.ended_at ? html` – <${Time} at=${one.ended_at} />` : null}</span>
    </p>
    <p>${told(`why.${one.kind}`, "")}</p>
  </header>`;
}

function Facts({ one, episode }) {
  const parts = Object.entries(one.detail.severity ?? {});
  return html`<dl class="facts">
    ${one.would_clear ? html`<div class="clears"><dt>${t("fact.clears")}</dt><dd>${told(`clears.${one.kind}`, one.would_clear)}</dd></div>` : null}
    ${episode.ended_by ? html`<div><dt>${t("fact.ended_by")}</dt><dd>${told(`type.${episode.ended_by.type}`, episode.ended_by.type ?? "")} <span class="mono">${episode.ended_by.ref}</span><br /><${Record} of=${episode.ended_by} /></dd></div>` : null}
    <div><dt>${t("fact.orders")}</dt><dd>${one.order_ids.map((id) => html`<${OrderLink} id=${id} /> `)}</dd></div>
    ${one.parcel_id ? html`<div><dt>${t("fact.parcel")}</dt><dd class="mono">${one.parcel_id}</dd></div>` : null}
    ${one.warehouse_id ? html`<div><dt>${t("fact.warehouse")}</dt><dd><a href=${link("incidents", null, { warehouse: one.warehouse_id })}>${one.warehouse_id}</a></dd></div>` : null}
    ${one.carrier ? html`<div><dt>${t("fact.carrier")}</dt><dd><a href=${link("incidents", null, { carrier: one.carrier })}>${one.carrier}</a></dd></div>` : null}
    ${parts.length ? html`<div><dt>${t("fact.severity")}</dt><dd>${parts.map(([name, points]) => `${told(`part.${name}`, name)} +${points}`).join(" · ")}</dd></div>` : null}
    <div><dt>${t("fact.rule")}</dt><dd><span class="mono">${one.kind}.${one.rule}</span> · ${t("fact.policy")} <span class="mono" title=${one.policy}>${one.policy.slice(0, 10)}</span></dd></div>
    <div><dt>${t("fact.known")}</dt><dd><${Time} at=${episode.known_up_to} /></dd></div>
  </dl>`;
}

function Episode({ one, nth, of }) {
  const title = of > 1 ? t("proof.episode", { n: nth }) : t("proof.title");
  const aside = of > 1 ? html`<span><${StatePill} state=${one.state} /> <${Time} at=${one.due_at} />${one.ended_at ? html` – <${Time} at=${one.ended_at} />` : null}</span>` : null;
  return html`<${Card} title=${title} aside=${aside}>
    <p class="minor">${t("proof.hint")}</p>
    <${Table}
      caption=${title}
      head=${[t("proof.what"), t("proof.record")]}
      rows=${one.evidence.map(
        (each) => html`<tr class="proof">
          <td><b>${told(`type.${each.type}`, each.type ?? "?")}</b><br /><span class="minor"><${Time} at=${each.at} /></span></td>
          <td><${Record} of=${each} /><br /><span class="mono minor">${each.ref}</span></td>
        </tr>`,
      )}
    />
    ${one.detail.knowable_at ? html`<p class="minor">${t("proof.knowable")} <${Time} at=${one.detail.knowable_at} /></p>` : null}
  <//>`;
}
