// Charts by uPlot, each with the same numbers as a table for those who do not see it.
import { h, tags, useEffect, useRef } from './lib.js';
import { format, texts } from './texts.js';

const { details, div, figure, figcaption, summary, table, tbody, td, th, thead, tr } = tags;

const HEIGHT = 180;

/** What a custom property is now, in the theme of now: a canvas does not know such properties. */
function colour(name, opacity = 1) {
  const probe = document.createElement('span');
  probe.style.color = `rgb(from var(${name}) r g b / ${opacity})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/**
 * `times`: seconds since 1970; `series`: [{ name, colour, values }], the colour being a custom property of the style sheet;
 * `bars`: whether the values are counts of a span of time and not states.
 */
export function Chart({ title, times, series, bars = false, days = false }) {
  const place = useRef();
  const plot = useRef();
  useEffect(() => {
    const draw = () => {
      plot.current?.destroy();
      plot.current = new globalThis.uPlot(options(place.current.clientWidth, { series, bars, days }), [times, ...series.map(one => one.values)], place.current);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    observer.observe(place.current);
    // The colours are drawn, not styled.
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      themes.disconnect();
      system.removeEventListener('change', draw);
      plot.current.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData([times, ...series.map(one => one.values)]), [times, series]);
  return figure({ class: 'chart' },
    figcaption(null, title),
    div({ class: 'plot', ref: place, 'aria-hidden': 'true' }),
    details(null, summary(null, `${texts.operate.table}: ${title}`), h(Numbers, { title, times, series, days })));
}

function options(width, { series, bars, days }) {
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line') }, font: '12px system-ui' };
  return {
    width,
    height: HEIGHT,
    cursor: { y: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    // Days are those of UTC, as the server counts them.
    tzDate: seconds => (days ? globalThis.uPlot.tzDate(new Date(seconds * 1000), 'UTC') : new Date(seconds * 1000)),
    axes: [axis, { ...axis, size: 56 }],
    series: [{}, ...series.map(one => ({
      label: one.name,
      stroke: colour(one.colour),
      fill: colour(one.colour, 0.2),
      width: 2,
      points: { show: false },
      paths: bars ? globalThis.uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
    }))],
  };
}

function Numbers({ title, times, series, days }) {
  return div({ class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': title }, table(null,
    thead(null, tr(null, th({ scope: 'col' }, texts.operate.columns.day), series.map(one => th({ scope: 'col', key: one.name }, one.name)))),
    tbody(null, times.map((time, row) => tr({ key: time },
      th({ scope: 'row' }, days ? format.day(time * 1000) : format.time(time * 1000)),
      series.map(one => td({ key: one.name }, one.values[row] === null ? '–' : format.number(one.values[row]))))))));
}

let library = null;

/** Loads the library, once. */
export function loadCharts() {
  library ??= new Promise((resolve, reject) => {
    const here = new URL('.', import.meta.url).pathname;
    const style = document.createElement('link');
    style.rel = 'stylesheet';
    style.href = `${here}lib/uplot.css`;
    const script = document.createElement('script');
    script.src = `${here}lib/uplot.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error(texts.failed.offline));
    document.head.append(style, script);
  });
  return library;
}
