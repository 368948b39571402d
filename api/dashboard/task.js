// Task: one customer, opened to be called. What is still true is checked again as this opens.

import { html, useEffect, useState } from "./html.js";
import { incidentPath, taskPath } from "./api.js";
import { ContactForm } from "./contact.js";
import { Desk, StatusPill } from "./desk.js";
import { Draft } from "./draft.js";
import { useRead } from "./hooks.js";
import { t } from "./i18n.js";
import { bind } from "./keys.js";
import { MaySay } from "./may_say.js";
import { ApiLink, Card, Empty, Failure, kindName, Loading, OrderLink, Severity, StatePill, Time } from "./parts.js";
import { Why, whose } from "./rank.js";
import { go, link } from "./router.js";
import { ToldWrong } from "./told_wrong.js";

export function Task({ id, params }) {
  const [position, stand] = useState(undefined);
  const { data, error } = useRead(taskPath(id), { since: params.since, min_position: position }, { again: () => true, every: 10_000 });
  useEffect(() => bind({ Escape: () => go("worklist") }), []);
  const back = html`<a href=${link("worklist")}>← ${t("nav.worklist")}</a>`;
  if (!data) return html`<section class="page">${back}${error ? html`<h1>${t("nav.worklist")}</h1><${Failure} error=${error} />` : html`<${Loading} />`}</section>`;
  return html`<section class="page task-page" data-id=${id}>
    ${back}
    <header class="page-head"><h1>${whose(data.task ?? { id, customer_id: id.startsWith("customer-") ? id.slice(9) : null })}</h1>
      ${data.task?.tier ? html`<span class="tag">${data.task.tier}</span>` : null}<${ApiLink} path=${taskPath(id)} /></header>
    <${Failure} error=${error} />
    <${Cleared} of=${data.cleared_meanwhile} nothing=${data.task === null} />
    ${data.task ? html`<${Open} data=${data} onDone=${stand} />` : html`<${Empty} title=${t("task.nothing")}>${t("task.nothing.hint")}<//>`}
    ${data.task === null && data.told_wrong.length ? html`<${ToldWrong} of=${data.told_wrong} />` : null}
  </section>`;
}

function Cleared({ of, nothing }) {
  if (of.length === 0) return null;
  return html`<section class="card cleared" role="status"><header><h2>${t("task.cleared")}</h2></header>
    <p>${t(nothing ? "task.cleared.all" : "task.cleared.hint")}</p>
    <ul class="plain">${of.map((one) => html`<li class="between" key=${one.id}><a href=${link("incidents", one.id)}>${kindName(one.kind)} <span class="mono">${one.subject}</span></a>
      <span><${StatePill} state=${one.state} /> <span class="minor"><${Time} at=${one.ended_at} /></span></span></li>`)}</ul></section>`;
}

function Open({ data, onDone }) {
  const { task, may_say: sayable, told_wrong: wrong } = data;
  const [draft, keep] = useState(null);
  const [corrects, correct] = useState(null);
  const [said, say] = useState("");
  const orders = task.orders.map((one) => one.order_id);
  const recorded = (_, answers) => {
    say(t(answers.some((one) => one.cleared_meanwhile) ? "desk.cleared" : "contact.recorded"));
    correct(null);
    onDone(answers.at(-1).position);
  };
  return html`<div class="columns">
    <div>
      ${wrong.length ? html`<${ToldWrong} of=${wrong} onCorrect=${(one) => correct(one.contact_id)} />` : null}
      <${Card} title=${t("task.why")}><${Why} of=${task} />
        <ul class="plain">${task.incidents.map((one) => html`<li key=${one.id}><${Worked} one=${one} onDone=${onDone} /></li>`)}</ul>
        <p class="minor">${task.orders.map((one) => html`<span class="entry"><${OrderLink} id=${one.order_id} /> ${t(`stage.${one.stage}`)}${one.value ? ` · ${one.value} ${one.currency ?? ""}` : ""}${one.deliver_by ? html` · ${t("order.deliver_by")} <${Time} at=${one.deliver_by} />` : null}</span> `)}</p>
      <//>
      <${Card} title=${t("say.title")}><p class="minor">${t("say.hint")}</p>${sayable.map((one) => html`<${MaySay} of=${one} key=${one.order_id} />`)}<//>
    </div>
    <div>
      <${Draft} incidents=${task.incidents} orders=${orders} onDraft=${keep} />
      <${Card} title=${t("contact.title")}>
        <p class="minor">${t("work.channels")} ${task.channels.map((one) => t(`channel.${one}`)).join(", ")}</p>
        <${ContactForm} key=${corrects} incidents=${task.incidents} customer=${task.customer_id} orders=${orders} channels=${task.channels} said=${draft} corrects=${corrects} onDone=${recorded} />
        <p class="done" role="status">${said}</p>
      <//>
    </div>
  </div>`;
}

// An incident of the task with its desk, folded: what is to be confirmed, assigned or settled is done from here too.
function Worked({ one, onDone }) {
  const [shown, show] = useState(false);
  return html`<details class="worked" onToggle=${(event) => show(event.target.open)}>
    <summary><${Severity} grade=${one.severity} word=${false} /> ${kindName(one.kind)} <span class="mono">${one.subject}</span> <${StatusPill} status=${one.staff.status} />
      ${one.staff.attempt_due ? html` <span class="tag warn">${t("desk.attempt_due")}</span>` : null}</summary>
    ${shown ? html`<${Full} id=${one.id} onDone=${onDone} />` : null}
  </details>`;
}

function Full({ id, onDone }) {
  const [position, stand] = useState(undefined);
  const { data, error } = useRead(incidentPath(id), { min_position: position }, { every: 10_000 });
  if (!data) return error ? html`<${Failure} error=${error} />` : html`<${Loading} />`;
  const done = (at) => {
    stand(at);
    onDone(at);
  };
  return html`<p><a href=${link("incidents", id)}>${t("task.proof")}</a></p><${Desk} incident=${data.incident} workflow=${data.workflow} onDone=${done} />`;
}
