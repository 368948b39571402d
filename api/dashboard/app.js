// The page: which part is shown, and the keys that work everywhere.

import { html, render, useEffect, useState } from "./html.js";
import { AtRisk } from "./risk.js";
import { Backlogs } from "./backlogs.js";
import { Feeds } from "./feeds.js";
import { AGAIN, get } from "./api.js";
import { setClock } from "./clock.js";
import { Header, PAGES, StaleBanner } from "./header.js";
import { Help } from "./help.js";
import { choose, preferred, useLanguage } from "./i18n.js";
import { Incidents } from "./incidents.js";
import { bind } from "./keys.js";
import * as live from "./live.js";
import { Metrics } from "./metrics.js";
import { Order } from "./order.js";
import { go, useRoute } from "./router.js";
import { apply } from "./theme.js";
import { Worklist } from "./worklist.js";

function Page({ route }) {
  if (route.page === "orders" && route.id !== null) return html`<${Order} id=${route.id} key=${route.id} />`;
  if (route.page === "at-risk") return html`<${AtRisk} />`;
  if (route.page === "worklist") return html`<${Worklist} id=${route.id} params=${route.params} />`;
  if (route.page === "backlogs") return html`<${Backlogs} params=${route.params} />`;
  if (route.page === "metrics") return html`<${Metrics} params=${route.params} />`;
  if (route.page === "feeds") return html`<${Feeds} />`;
  return html`<${Incidents} id=${route.id} params=${route.params} />`;
}

function App() {
  const route = useRoute();
  const language = useLanguage();
  const [help, setHelp] = useState(false);
  useEffect(
    () =>
      bind({
        "?": () => setHelp(true),
        "/": () => document.getElementById("search").focus(),
        Escape: () => document.activeElement?.blur(),
        i: () => document.getElementById("actor").focus(),
        ...Object.fromEntries(PAGES.map((page, place) => [place + 1, () => go(page)])),
      }),
    [],
  );
  return html`<div class="shell" data-language=${language}>
    <${Header} page=${route.page} onHelp=${() => setHelp(true)} />
    <${StaleBanner} />
    <main id="main" tabindex="-1"><${Page} route=${route} /></main>
    ${help ? html`<${Help} onClose=${() => setHelp(false)} />` : null}
  </div>`;
}

// Every page listens, whichever was opened first.
async function listen() {
  try {
    const page = await get("/v1/feed", { after: "first", limit: 1 });
    setClock(page.as_of);
    live.connect(page.as_of.position);
  } catch (error) {
    live.lost(error.message);
    setTimeout(listen, AGAIN);
  }
}

apply();
await choose(preferred());
live.on("reset", listen);
// With the clock first, so that no age jumps; but a server that is long in answering is no reason to show nothing.
await Promise.race([listen(), new Promise((resolve) => setTimeout(resolve, AGAIN))]);
document.querySelector("#app .boot")?.remove();
render(html`<${App} />`, document.getElementById("app"));
