// What several pages need of state.

import { useEffect, useState } from "./html.js";
import { now, onTick } from "./clock.js";
import * as live from "./live.js";
import { AGAIN, get } from "./api.js";
import { setClock } from "./clock.js";

export function useNow() {
  const [, redraw] = useState(0);
  useEffect(() => onTick(() => redraw((n) => n + 1)), []);
  return now();
}

export function useStatus() {
  const [, redraw] = useState(0);
  useEffect(() => live.on("status", () => redraw((n) => n + 1)), []);
  return live.status();
}

// Reads a path, again whenever `again` says so of a change, or every so many milliseconds.
export function useRead(path, params, { again = () => false, every = 0 } = {}) {
  const [found, setFound] = useState({ data: null, error: null, loading: true });
  const key = path === null ? null : JSON.stringify([path, params]);
  useEffect(() => {
    if (key === null) return undefined;
    let current = true;
    let timer = null;
    const read = async () => {
      try {
        const data = await get(path, params);
        if (data.as_of) setClock(data.as_of);
        if (current) setFound({ data, error: null, loading: false });
      } catch (error) {
        if (!current) return;
        setFound((before) => ({ data: before.data, error, loading: false }));
        clearTimeout(timer);
        if (error.passing) timer = setTimeout(read, AGAIN);
      }
    };
    setFound((before) => ({ ...before, error: null, loading: true }));
    read();
    const off = live.on("change", (change) => {
      if (!again(change)) return;
      clearTimeout(timer);
      timer = setTimeout(read, 300);
    });
    const interval = every ? setInterval(read, every) : null;
    return () => {
      current = false;
      off();
      clearTimeout(timer);
      clearInterval(interval);
    };
  }, [key]);
  return found;
}
