// Preact and htm, as vendored: the only place that knows where they come from.
export { html, render } from "./vendor/htm-preact.js";
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/htm-preact.js";
