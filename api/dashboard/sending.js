// Sending: one command at a time, tried again under the same key, so that nothing is done twice.

import { useRef, useState } from "./html.js";
import { newKey } from "./api.js";

export function useSending() {
  const [state, setState] = useState({ busy: false, error: null });
  const key = useRef(newKey());
  const run = async (send, done) => {
    setState({ busy: true, error: null });
    try {
      const answer = await send(key.current);
      key.current = newKey();
      setState({ busy: false, error: null });
      done(answer);
    } catch (error) {
      // What was refused will be said differently next time; what may have been done keeps its key.
      if (error.status >= 400 && error.status < 500) key.current = newKey();
      setState({ busy: false, error });
    }
  };
  return { ...state, run };
}
