// The address bar: #/page/id?filter=value. Everything that is shown can be sent to somebody as a link.

import { useEffect, useState } from "./html.js";

export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/");
  const params = {};
  for (const [name, value] of new URLSearchParams(query)) params[name] = value;
  return { page: page || "incidents", id: rest.length ? decoded(rest.join("/")) : null, params };
}

// A link that was damaged on its way leads to a name that nobody knows, not to an empty page.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function link(page, id = null, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value)).toString();
  return `#/${page}${id === null ? "" : `/${encodeURIComponent(id)}`}${query ? `?${query}` : ""}`;
}

export function go(page, id = null, params = {}, { replace = false } = {}) {
  const hash = link(page, id, params);
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute() {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    const listener = () => setRoute(parse(location.hash));
    addEventListener("hashchange", listener);
    addEventListener("popstate", listener);
    return () => {
      removeEventListener("hashchange", listener);
      removeEventListener("popstate", listener);
    };
  }, []);
  return route;
}
