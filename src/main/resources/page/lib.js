// The one place that knows the libraries: they are classic scripts, since a page without inline scripts has no import map.
const { h, render } = globalThis.preact;
const { useEffect, useMemo, useRef, useState } = globalThis.preactHooks;

export { h, render, useEffect, useMemo, useRef, useState };

/** Elements as functions: `div({ class: 'card' }, 'text')`. */
export const tags = new Proxy({}, { get: (_, name) => (props, ...children) => h(name, props, ...children) });

/** A value that views watch. */
export function createStore(value) {
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      watchers.forEach(watcher => watcher());
    },
    update(change) {
      this.set(change(value));
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** What a view shows of a store; it is drawn again when that changes. */
export function useStore(store, pick = value => value) {
  const [, drawAgain] = useState(0);
  const drawn = useRef();
  drawn.current = pick(store.get());
  useEffect(() => {
    const look = () => {
      if (pick(store.get()) !== drawn.current) {
        drawAgain(count => count + 1);
      }
    };
    // It may have changed between the drawing and now.
    look();
    return store.watch(look);
  }, [store]);
  return drawn.current;
}
