// The list of incidents, kept up with the feed: read once, changed by what comes, read again soon after for what staff
// did, and now and then for what the feed does not tell: what has been muted.

import { useEffect, useRef, useState } from "./html.js";
import { AGAIN, get } from "./api.js";
import { setClock } from "./clock.js";
import * as live from "./live.js";

const PAGE = 200;
const MOST = 500; // what one page can hold
const LINGER = 6000; // milliseconds that a row which no longer belongs here stays to be seen
const SOON = 1500;
const REGULARLY = 6000;

// Muted incidents are folded under those that speak for them, unless somebody looks for them.
function muted(params) {
  if (params.muted === "only") return true;
  return params.muted === "all" || params.order || params.muted_by ? undefined : false;
}

export const query = (params) => ({
  state: params.state === "all" ? undefined : (params.state ?? "open"),
  kind: params.kind,
  severity: params.severity?.split(","),
  warehouse: params.warehouse,
  carrier: params.carrier,
  order: params.order,
  status: params.status,
  assignee: params.assignee,
  muted: muted(params),
  muted_by: params.muted_by,
  sort: params.sort,
});

// What the feed does not tell of a new incident is unknown until the list is read again.
function worked(incident, wanted) {
  if (!incident.staff) return !wanted.status && !wanted.assignee && !wanted.muted_by && wanted.muted !== true;
  const { staff } = incident;
  return (
    (!wanted.status || staff.status === wanted.status) &&
    (!wanted.assignee || [staff.person, staff.team].includes(wanted.assignee)) &&
    (!wanted.muted_by || incident.muted_by === wanted.muted_by) &&
    (wanted.muted === undefined || (incident.muted_by !== null) === wanted.muted)
  );
}

function belongs(incident, wanted) {
  return (
    (!wanted.state || incident.state === wanted.state) &&
    (!wanted.kind || incident.kind === wanted.kind) &&
    (!wanted.severity || wanted.severity.includes(incident.severity)) &&
    (!wanted.warehouse || incident.warehouse_id === wanted.warehouse) &&
    (!wanted.carrier || incident.carrier === wanted.carrier) &&
    (!wanted.order || incident.order_ids.includes(wanted.order)) &&
    worked(incident, wanted)
  );
}

// Puts a change into the rows; gives back the same rows where it does not concern them. What staff did is no news of
// the finding: it shows when the list is read again.
export function applied(rows, change, wanted) {
  if (change.step) return rows;
  const incident = change.incident;
  const before = rows.get(incident.id);
  if (before && before.since > incident.since && before.state === "open") return rows;
  const whole = { ...before, ...incident };
  if (!before && !belongs(whole, wanted)) return rows;
  const after = new Map(rows);
  after.set(incident.id, {
    ...whole,
    would_clear: incident.state === "open" ? incident.detail.cleared_by : null,
    fresh: before ? (before.state === incident.state ? before.fresh : change.change) : change.change,
    leaving: !belongs(whole, wanted),
  });
  return after;
}

const listed = (page) => page.incidents.map((one) => [one.id, one]);

// What was read again, with the rows that are still to be seen leaving, and what has come since the question.
function renewed(rows, page, since, wanted) {
  const leaving = [...rows].filter(([, one]) => one.leaving);
  const read = listed(page).map(([id, one]) => [id, { ...one, fresh: rows.get(id)?.fresh }]);
  return since.reduce((found, one) => applied(found, one, wanted), new Map([...leaving, ...read]));
}

export function useRows(params, paused) {
  const wanted = query(params);
  const key = JSON.stringify(wanted);
  const [state, setState] = useState({ rows: new Map(), next: null, error: null, loading: true, waiting: [] });
  const quiet = useRef(paused);
  quiet.current = paused;
  const size = useRef(0);
  size.current = state.rows.size;
  const more = useRef(() => {});
  const resume = useRef(() => {});
  const again = useRef(() => {});

  useEffect(() => {
    let current = true;
    let came = [];
    let soon = null;
    let later = null;
    const change = (make) => current && setState(make);
    const read = async (cursor) => {
      clearTimeout(later);
      try {
        const page = await get("/v1/incidents", { ...wanted, limit: PAGE, cursor });
        setClock(page.as_of);
        change((before) => ({ ...before, rows: new Map([...(cursor ? before.rows : []), ...listed(page)]), next: page.next, error: null, loading: false }));
      } catch (error) {
        change((before) => ({ ...before, error, loading: false }));
        if (current && error.passing) later = setTimeout(() => read(cursor), AGAIN);
      }
    };
    const refresh = async (position) => {
      clearTimeout(soon);
      soon = null;
      if (quiet.current || size.current > MOST || document.hidden) return;
      came = [];
      try {
        const page = await get("/v1/incidents", { ...wanted, limit: Math.min(MOST, Math.max(PAGE, size.current)), min_position: position });
        const since = came;
        if (!quiet.current) change((before) => ({ ...before, rows: renewed(before.rows, page, since, wanted), next: page.next, error: null }));
      } catch {
        // What is shown stays; the feed's own banner tells when nothing comes any more.
      }
    };
    const take = (changes) => {
      came.push(...changes);
      change((before) => ({ ...before, rows: changes.reduce((rows, one) => applied(rows, one, wanted), before.rows) }));
      setTimeout(sweep, LINGER);
      soon ??= setTimeout(refresh, SOON);
    };
    const sweep = () =>
      change((before) =>
        [...before.rows.values()].some((one) => one.leaving)
          ? { ...before, rows: new Map([...before.rows].filter(([, one]) => !one.leaving)) }
          : before,
      );
    setState((before) => ({ ...before, loading: true, waiting: [] }));
    read();
    more.current = read;
    resume.current = take;
    again.current = refresh;
    const off = live.on("change", (one) => {
      if (!quiet.current) take([one]);
      else if (!one.step) change((before) => ({ ...before, waiting: [...before.waiting, one] }));
    });
    const reset = live.on("reset", () => read());
    const timer = setInterval(refresh, REGULARLY);
    return () => {
      current = false;
      clearTimeout(soon);
      clearTimeout(later);
      clearInterval(timer);
      off();
      reset();
    };
  }, [key]);

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
  return { ...state, rows, more: () => more.current(state.next), refresh: (position) => again.current(position) };
}
