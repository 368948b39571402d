// Others: open incidents that one may be part of, to choose from instead of typing an id.

import { html } from "./html.js";
import { useRead } from "./hooks.js";
import { kindName } from "./parts.js";

const SOME = 50;

// Those of the same order, and those at the same place.
export function Others({ id, incident }) {
  const [order] = incident.order_ids;
  const same = useRead("/v1/incidents", { order: order ?? "-", state: "open", limit: SOME });
  const near = useRead("/v1/incidents", { warehouse: incident.warehouse_id ?? "-", state: "open", limit: SOME });
  const found = new Map([same, near].flatMap(({ data }) => data?.incidents ?? []).map((one) => [one.id, one]));
  found.delete(incident.id);
  return html`<datalist id=${id}>${[...found.values()].map((one) => html`<option value=${one.id} key=${one.id}>${kindName(one.kind)} ${one.subject}</option>`)}</datalist>`;
}
