// The list of incidents, kept up with the feed: read once, then changed by what comes.

import { useEffect, useRef, useState } from "./html.js";
import { get } from "./api.js";
import { setClock } from "./clock.js";
import * as live from "./live.js";

const PAGE = 200;
const LINGER = 6000; // milliseconds that a row which no longer belongs here stays to be seen

export const query = (params) => ({
  state: params.state === "all" ? undefined : (params.state ?? "open"),
  kind: params.kind,
  severity: params.severity?.split(","),
  warehouse: params.warehouse,
  carrier: params.carrier,
  order: params.order,
  sort: params.sort,
});

function belongs(incident, wanted) {
  return (
    (!wanted.state || incident.state === wanted.state) &&
    (!wanted.kind || incident.kind === wanted.kind) &&
    (!wanted.severity || wanted.severity.includes(incident.severity)) &&
    (!wanted.warehouse || incident.warehouse_id === wanted.warehouse) &&
    (!wanted.carrier || incident.carrier === wanted.carrier) &&
    (!wanted.order || incident.order_ids.includes(wanted.order))
  );
}

// Puts a change into the rows; gives back the same rows where it does not concern them.
export function applied(rows, change, wanted) {
  const incident = change.incident;
  const before = rows.get(incident.id);
  if (before && before.since > incident.since && before.state === "open") return rows;
  if (!before && !belongs(incident, wanted)) return rows;
  const after = new Map(rows);
  const leaving = !belongs(incident, wanted);
  after.set(incident.id, {
    ...before,
    ...incident,
    would_clear: incident.state === "open" ? incident.detail.cleared_by : null,
    fresh: before ? (before.state === incident.state ? before.fresh : change.change) : change.change,
    leaving,
  });
  return after;
}

export function useRows(params, paused) {
  const wanted = query(params);
  const key = JSON.stringify(wanted);
  const [state, setState] = useState({ rows: new Map(), next: null, error: null, loading: true, waiting: [], said: "" });
  const quiet = useRef(paused);
  quiet.current = paused;

  useEffect(() => {
    let current = true;
    const read = async (cursor) => {
      try {
        const page = await get("/v1/incidents", { ...wanted, limit: PAGE, cursor });
        if (!current) return;
        setClock(page.as_of);
        setState((before) => ({
          ...before,
          rows: new Map([...(cursor ? before.rows : []), ...page.incidents.map((one) => [one.id, one])]),
          next: page.next,
          error: null,
          loading: false,
        }));
      } catch (error) {
        if (current) setState((before) => ({ ...before, error, loading: false }));
      }
    };
    setState((before) => ({ ...before, loading: true, waiting: [] }));
    read();
    more.current = (cursor) => read(cursor);
    const off = live.on("change", (change) => {
      if (quiet.current) setState((before) => ({ ...before, waiting: [...before.waiting, change] }));
      else take([change]);
    });
    const take = (changes) => {
      setState((before) => ({ ...before, rows: changes.reduce((rows, one) => applied(rows, one, wanted), before.rows) }));
      setTimeout(sweep, LINGER);
    };
    const sweep = () =>
      setState((before) =>
        [...before.rows.values()].some((one) => one.leaving)
          ? { ...before, rows: new Map([...before.rows].filter(([, one]) => !one.leaving)) }
          : before,
      );
    const again = live.on("reset", () => read().then(() => undefined));
    resume.current = take;
    return () => {
      current = false;
      off();
      again();
    };
  }, [key]);

  const more = useRef(() => {});
  const resume = useRef(() => {});
  useEffect(() => {
    if (paused || state.waiting.length === 0) return;
    resume.current(state.waiting);
    setState((before) => ({ ...before, waiting: [] }));
  }, [paused]);

  const rows = [...state.rows.values()];
  const newest = params.sort !== "due_at";
  rows.sort((a, b) => {
    const order = a.due_at < b.due_at ? -1 : a.due_at > b.due_at ? 1 : a.id < b.id ? -1 : 1;
    return newest ? -order : order;
  });
  return { ...state, rows, more: () => more.current(state.next) };
}
