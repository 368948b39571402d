// One incident: what happened, the records that prove it, and what would clear it.

import { html, useEffect, useState } from "./html.js";
import { incidentPath } from "./api.js";
import { Batches } from "./batches.js";
import { now } from "./clock.js";
import { Desk } from "./desk.js";
import { Detail } from "./detail.js";
import { span } from "./format.js";
import { Goods } from "./goods.js";
import { History } from "./history.js";
import { useNow, useRead } from "./hooks.js";
import { t, told } from "./i18n.js";
import { overdue } from "./kinds.js";
import { Members, MutedBy } from "./muted.js";
import { ApiLink, Card, Failure, kindName, Loading, Orders, Record, Severity, StatePill, Table, Time } from "./parts.js";
import { link } from "./router.js";

export function IncidentPanel({ id, params, onChange = () => {} }) {
  const [position, stand] = useState(undefined);
  const { data, error, loading } = useRead(incidentPath(id), { min_position: position }, { again: (change) => change.incident.id === id, every: 10_000 });
  useEffect(() => {
    if (matchMedia("(max-width: 900px)").matches) scrollTo(0, 0);
  }, [id]);
  const done = (at) => {
    stand(at);
    onChange(at);
  };
  const back = html`<a class="back" href=${link("incidents", null, params)}>← ${t("panel.back")}</a>`;
  if (error && !data) return html`<div>${back}<${Failure} error=${error} /></div>`;
  if (!data || (loading && data.incident.id !== id)) return html`<div>${back}<${Loading} /></div>`;
  const one = data.incident;
  return html`<article class="incident" data-id=${id}>
    ${back}
    <${Heading} one=${one} />
    <${MutedBy} one=${one} />
    <${Failure} error=${error} />
    <${Facts} one=${one} episode=${data.episodes.at(-1)} />
    <${Members} one=${one} position=${position} />
    ${data.workflow ? html`<${Desk} key=${id} incident=${one} workflow=${data.workflow} onDone=${done} />` : null}
    ${data.workflow ? html`<${Batches} key=${`batches ${id}`} incident=${one} onDone=${done} /><${Goods} key=${`goods ${id}`} incident=${one} onDone=${done} />` : null}
    <${History} of=${data.history ?? []} />
    <${Detail} of=${one.detail} />
    ${data.episodes.toReversed().map((each, place) => html`<${Episode} one=${each} nth=${data.episodes.length - place} of=${data.episodes.length} />`)}
    <footer><${ApiLink} path=${incidentPath(id)} /> <span class="mono minor">${one.id}</span></footer>
  </article>`;
}

function Heading({ one }) {
  useNow();
  const until = one.ended_at ? Date.parse(one.ended_at) : now();
  const age = span(until - Date.parse(one.due_at));
  return html`<header class="heading">
    <div class="pills"><${StatePill} state=${one.state} /><${Severity} grade=${one.severity} />
      ${one.historic ? html`<span class="tag" title=${t("tag.historic.hint")}>${t("tag.historic")}</span>` : null}
      <${Flapping} of=${one.flapping} />
      ${one.stale ? html`<span class="tag warn" title=${t("tag.stale.hint")}>${t("tag.stale")}</span>` : null}
    </div>
    <h1>${kindName(one.kind)} <span class="mono">${one.subject}</span></h1>
    <p class="age-line">
      ${one.state === "retracted" ? t("panel.never") : one.state === "open" ? t(overdue(one.kind) ? "panel.late_for" : "panel.open_for", { span: age }) : t(overdue(one.kind) ? "panel.was_late" : "panel.was_open", { span: age })}
      <span class="minor"> · ${t("panel.since")} <${Time} at=${one.due_at} />${one.ended_at ? html` – <${Time} at=${one.ended_at} beside=${one.due_at} />` : null}</span>
    </p>
    <p>${told(`why.${one.kind}`, "")}</p>
  </header>`;
}

// Read until the next time the page asks; by then it may stand still.
function Flapping({ of: spell }) {
  if (!spell) return null;
  return html`<span class="tag warn" title=${t("tag.flapping.hint")}>${t("tag.flapping", { n: spell.changes })} <${Time} at=${spell.since} /></span>`;
}

function Facts({ one, episode }) {
  const parts = Object.entries(one.severity_parts ?? {});
  return html`<dl class="facts">
    ${one.evidence ? html`<div class="evidence"><dt>${t("fact.evidence")}</dt><dd><${Evidence} said=${one.evidence} /></dd></div>` : null}
    ${one.would_clear ? html`<div class="clears"><dt>${t("fact.clears")}</dt><dd>${told(`clears.${one.kind}`, one.would_clear)}</dd></div>` : null}
    ${episode.ended_by ? html`<div><dt>${t("fact.ended_by")}</dt><dd>${told(`type.${episode.ended_by.type}`, episode.ended_by.type ?? "")} <span class="mono">${episode.ended_by.ref}</span><br /><${Record} of=${episode.ended_by} /></dd></div>` : null}
    <div><dt>${t("fact.orders")}</dt><dd>${one.order_ids.length ? html`<${Orders} ids=${one.order_ids} />` : "—"}</dd></div>
    ${one.parcel_id ? html`<div><dt>${t("fact.parcel")}</dt><dd class="mono">${one.parcel_id}</dd></div>` : null}
    ${one.warehouse_id ? html`<div><dt>${t("fact.warehouse")}</dt><dd><a href=${link("incidents", null, { warehouse: one.warehouse_id })}>${one.warehouse_id}</a></dd></div>` : null}
    ${one.carrier ? html`<div><dt>${t("fact.carrier")}</dt><dd><a href=${link("incidents", null, { carrier: one.carrier })}>${one.carrier}</a></dd></div>` : null}
    ${one.sku ? html`<div><dt>${t("line.sku")}</dt><dd class="mono">${one.sku}</dd></div>` : null}
    ${parts.length ? html`<div><dt>${t("fact.severity")}</dt><dd>${parts.map(([name, points]) => `${told(`part.${name}`, name)} +${points}`).join(" · ")}</dd></div>` : null}
    <div><dt>${t("fact.rule")}</dt><dd><span class="mono">${one.kind}.${one.rule}</span> · ${t("fact.policy")} <span class="mono" title=${one.policy}>${one.policy.slice(0, 10)}</span></dd></div>
    <div><dt>${t("fact.known")}</dt><dd><${Time} at=${episode.known_up_to} /></dd></div>
  </dl>`;
}

function Episode({ one, nth, of }) {
  const title = of > 1 ? t("proof.episode", { n: nth }) : t("proof.title");
  const aside = of > 1 ? html`<span><${StatePill} state=${one.state} /> <${Time} at=${one.due_at} />${one.ended_at ? html` – <${Time} at=${one.ended_at} beside=${one.due_at} />` : null}</span>` : null;
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

// "feed silent since …" or "feed never heard", in the reader's words.
function Evidence({ said }) {
  const since = said.split("since ")[1];
  return since ? html`${t("fact.evidence.silent")} <${Time} at=${since} />` : t("fact.evidence.never");
}
