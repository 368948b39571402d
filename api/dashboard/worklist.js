// Worklist: whom to call next. One card a customer, ranked by what can still be saved.

import { html, useEffect, useState } from "./html.js";
import { useActor } from "./actor.js";
import { get } from "./api.js";
import { setClock } from "./clock.js";
import { StatusPill } from "./desk.js";
import { Typed } from "./fields.js";
import { number } from "./format.js";
import { useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { bind } from "./keys.js";
import { ApiLink, Card, Empty, Failure, kindName, Loading, OrderLink, Severity, Time } from "./parts.js";
import { Legend, Why, whose } from "./rank.js";
import { go, link } from "./router.js";
import { Task } from "./task.js";
import { ToldWrong } from "./told_wrong.js";

const SHOWN = 6;

export function Worklist({ id, params }) {
  return id === null ? html`<${Tasks} params=${params} />` : html`<${Task} id=${id} params=${params} key=${id} />`;
}

const query = ({ assignee, difficulty, to_contact }) => ({ assignee, difficulty, to_contact: to_contact === "all" ? undefined : true });

function Tasks({ params }) {
  const wanted = query(params);
  const { data, error } = useRead("/v1/worklist", { ...wanted, limit: 50 }, { again: () => true, every: 5000 });
  const wrong = useRead("/v1/told-wrong", { limit: 20 }, { every: 10_000 });
  const [more, add] = useState({ tasks: [], next: undefined, error: null });
  useEffect(() => add({ tasks: [], next: undefined, error: null }), [JSON.stringify(wanted)]);
  useEffect(() => bind(walking(".tasks a.open-task")), []);
  const next = more.next === undefined ? data?.next : more.next;
  const read = async () => {
    try {
      const page = await get("/v1/worklist", { ...wanted, limit: 50, cursor: next });
      setClock(page.as_of);
      add({ tasks: [...more.tasks, ...page.tasks], next: page.next, error: null });
    } catch (failed) {
      add({ ...more, error: failed });
    }
  };
  const first = data?.tasks ?? [];
  const tasks = [...first, ...more.tasks.filter((one) => !first.some((each) => each.id === one.id))];
  return html`<section class="page worklist">
    <header class="page-head"><h1>${t("nav.worklist")}</h1><p>${t("work.hint")}</p><${ApiLink} path="/v1/worklist" /></header>
    <${Filters} params=${params} />
    <${Failure} error=${error ?? more.error} />
    ${wrong.data?.told_wrong.length ? html`<${ToldWrong} of=${wrong.data.told_wrong} more=${wrong.data.next !== null} />` : null}
    ${!data && !error ? html`<${Loading} />` : null}
    ${data && tasks.length === 0 ? html`<${Empty} title=${t("work.empty")}>${t("work.empty.hint")}<//>` : null}
    ${data ? html`<${Legend} ranked=${data.ranked_by} />` : null}
    <ol class="tasks">${tasks.map((one, place) => html`<li key=${one.id}><${TaskCard} one=${one} place=${place + 1} since=${data.as_of.position} /></li>`)}</ol>
    ${next ? html`<button type="button" class="more" onClick=${read}>${t("list.more")}</button>` : null}
  </section>`;
}

function walking(selector) {
  const step = (by) => () => {
    const links = [...document.querySelectorAll(selector)];
    links[Math.min(links.length - 1, Math.max(0, links.indexOf(document.activeElement) + by))]?.focus();
  };
  return { j: step(1), k: step(-1) };
}

function Filters({ params }) {
  const me = useActor();
  const set = (changed) => go("worklist", null, { ...params, ...changed });
  return html`<div class="filters" role="group" aria-label=${t("filter.label")}>
    <div class="segments" role="group" aria-label=${t("work.to_contact")}>
      ${["now", "all"].map((one) => html`<a href=${link("worklist", null, { ...params, to_contact: one === "all" ? "all" : "" })} aria-current=${(params.to_contact ?? "now") === one ? "true" : null}>${t(`work.to_contact.${one}`)}</a>`)}
    </div>
    <label class="choice"><span class="hidden">${t("work.difficulty")}</span><select name="difficulty" class=${params.difficulty ? "set" : ""} onChange=${(event) => set({ difficulty: event.target.value })}>
      <option value="" selected=${!params.difficulty}>${t("work.difficulty.any")}</option>
      ${["normal", "hard"].map((one) => html`<option value=${one} selected=${one === params.difficulty}>${t(`work.difficulty.${one}`)}</option>`)}
    </select></label>
    <label class="choice"><span class="hidden">${t("filter.assignee")}</span><${Typed} name="assignee" placeholder=${t("filter.assignee")} value=${params.assignee ?? ""} onDone=${(who) => set({ assignee: who })} /></label>
    ${me && params.assignee !== me ? html`<button type="button" onClick=${() => set({ assignee: me })}>${t("work.mine")}</button>` : null}
    ${params.assignee ? html`<a class="clear" href=${link("worklist", null, { ...params, assignee: "" })}>${t("filter.clear")}</a>` : null}
  </div>`;
}

function TaskCard({ one, place, since }) {
  return html`<article class="card task" data-id=${one.id}>
    <header><h2><span class="place">${place}</span> <a class="open-task" href=${link("worklist", one.id, { since })}>${whose(one)}</a>
      ${one.tier ? html` <span class="tag">${one.tier}</span>` : null}</h2>
      <span class="pills">${one.to_contact ? html`<span class="tag warn">${t("work.call")}</span>` : html`<span class="tag">${t("work.reached")}</span>`}
        ${one.channels.map((name) => html`<span class="tag">${t(`channel.${name}`)}</span>`)}</span></header>
    <${Why} of=${one} />
    <ul class="plain">${one.incidents.slice(0, SHOWN).map((each) => html`<li class="between" key=${each.id}>
      <span><${Severity} grade=${each.severity} word=${false} /> <a href=${link("incidents", each.id)}>${kindName(each.kind)} <span class="mono">${each.subject}</span></a></span>
      <span>${each.staff.status === "new" ? null : html`<${StatusPill} status=${each.staff.status} />`} <span class="minor"><${Time} at=${each.due_at} /></span></span></li>`)}</ul>
    ${one.incidents.length > SHOWN ? html`<p class="minor">${t("work.more", { n: number(one.incidents.length - SHOWN) })}</p>` : null}
    <p class="minor">${one.orders.map((each) => html`<span class="entry"><${OrderLink} id=${each.order_id} /> ${t(`stage.${each.stage}`)}${each.value ? ` · ${each.value} ${each.currency ?? ""}` : ""}</span> `)}</p>
    ${one.assignees.length || one.difficulty.goes_to.length ? html`<p class="minor">${one.assignees.length ? t("work.assigned", { who: one.assignees.join(", ") }) : t("work.goes_to", { who: one.difficulty.goes_to.join(", ") })}</p>` : null}
  </article>`;
}
