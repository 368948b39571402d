// Feeds: what comes in, how far it has been read, what was odd about it, and whether the views keep up.

import { html } from "./html.js";
import { knownUpTo, now } from "./clock.js";
import { number, span } from "./format.js";
import { useNow, useRead } from "./hooks.js";
import { t, told } from "./i18n.js";
import { ApiLink, Card, Empty, Failure, Loading, Table, Time } from "./parts.js";

export function Feeds() {
  useNow();
  const feeds = useRead("/v1/feeds", {}, { every: 3000 });
  const views = useRead("/v1/projections", {}, { every: 5000 });
  const refused = useRead("/v1/quarantine", { limit: 50 }, { every: 10_000 });
  if (!feeds.data) return html`<section class="page">${feeds.error ? html`<${Failure} error=${feeds.error} />` : html`<${Loading} />`}</section>`;
  const { sources, partitions, foreign } = feeds.data;
  return html`<section class="page">
    <header class="page-head"><h1>${t("nav.feeds")}</h1>
      <p>${knownUpTo() === null ? t("feeds.unknown") : html`${t("feeds.known")} <b><${Time} at=${feeds.data.as_of.known_up_to} /></b>`}</p>
      <${ApiLink} path="/v1/feeds" /></header>
    <${Card} title=${t("feeds.sources")}>
      ${sources.length ? html`<${Sources} sources=${sources} />` : html`<${Empty} title=${t("feeds.empty")}>${t("feeds.empty.hint")}<//>`}
    <//>
    <${Card} title=${t("feeds.partitions")}>
      <${Table} caption=${t("feeds.partitions")}
        head=${["topic", "partition", "position", "read_to", "records", "taken", "repeated", "skipped"].map((one) => t(`partition.${one}`))}
        rows=${partitions.map((one) => html`<tr>
          <td class="mono">${one.topic}</td><td class="num">${one.partition}</td><td class="num">${number(one.position)}</td>
          <td>${one.retired ? t("partition.retired") : html`<${Time} at=${one.taken_up_to} />`}</td>
          ${[one.records, one.taken, one.repeated, one.skipped].map((each) => html`<td class="num">${number(each)}</td>`)}
        </tr>`)} />
    <//>
    <${Quarantine} counts=${feeds.data.quarantined} found=${refused.data} />
    ${foreign.length ? html`<${Card} title=${t("feeds.foreign")}><ul class="plain">${foreign.map((one) => html`<li class="between"><span class="mono">${one.name}</span><span>${number(one.count)}</span></li>`)}</ul><//>` : null}
    ${views.data ? html`<${Views} found=${views.data.projections} />` : null}
  </section>`;
}

function Sources({ sources }) {
  return html`<${Table} caption=${t("feeds.sources")}
    head=${["name", "last", "ago", "events", "odd"].map((one) => t(`source.${one}`))}
    rows=${sources.map((one) => html`<tr>
      <td class="mono">${one.source}</td><td><${Time} at=${one.last_event_at} /></td>
      <td class="age">${span(now() - Date.parse(one.last_event_at))}</td><td class="num">${number(one.events)}</td>
      <td>${Object.entries(one.flags).map(([name, count]) => html`<span class="tag">${told(`flag.${name}`, name)} ${number(count)}</span> `)}</td>
    </tr>`)} />`;
}

function Quarantine({ counts, found }) {
  const total = counts.reduce((sum, one) => sum + one.count, 0);
  return html`<${Card} title=${t("feeds.quarantine")} aside=${html`<${ApiLink} path="/v1/quarantine" />`}>
    ${total === 0 ? html`<p class="minor">${t("feeds.quarantine.none")}</p>` : html`<p>${counts.map((one) => html`<span class="tag warn">${told(`code.${one.name}`, one.name)} ${number(one.count)}</span> `)}</p>`}
    ${found?.messages.length ? html`<${Table} caption=${t("feeds.quarantine")} head=${["code", "why", "record", "at"].map((one) => t(`refused.${one}`))}
      rows=${found.messages.map((one) => html`<tr><td>${told(`code.${one.code}`, one.code)}</td><td>${one.detail}</td>
        <td class="mono">${one.topic} / ${one.partition} / ${one.offset}</td><td><${Time} at=${one.at} /></td></tr>`)} />` : null}
  <//>`;
}

function Views({ found }) {
  return html`<${Card} title=${t("feeds.views")} aside=${html`<${ApiLink} path="/v1/projections" />`}>
    <${Table} caption=${t("feeds.views")} head=${["name", "behind", "parked"].map((one) => t(`view.${one}`))}
      rows=${found.map((one) => html`<tr><td class="mono">${one.name}</td><td class="num">${number(one.behind)}</td>
        <td>${one.parked.length === 0 ? t("view.none") : html`<details><summary>${t("view.waiting", { n: one.parked.length })}</summary>
          <ul class="plain">${one.parked.slice(0, 20).map((each) => html`<li><span class="mono">${each.stream}</span> ${each.error}</li>`)}</ul></details>`}</td></tr>`)} />
  <//>`;
}
