// Styles as chips with a sample of each.
import { change, errors } from './form.js';
import { h, tags, useStore } from './lib.js';
import { texts } from './texts.js';

const { div, fieldset, img, input, label, legend, p, span } = tags;

/** Samples that the page brings; a style of one's own has its first letter instead. */
const SAMPLES = new Set(['anime', 'blueprint', 'cinematic', 'comic', 'ink', 'isometric', 'landscape', 'logo', 'lowpoly', 'oil',
  'photo', 'pixel', 'portrait', 'watercolor']);

const here = new URL('.', import.meta.url).pathname;

export function StyleChips({ styles, chosen }) {
  const wrong = useStore(errors, all => all.style);
  return fieldset({ class: 'styles', id: 'style', tabIndex: -1 },
    legend(null, texts.make.style),
    div({ class: 'chips' }, [{ name: '' }, ...styles].map(style => h(Chip, { key: style.name, style, chosen: chosen === style.name }))),
    wrong && p({ class: 'error', role: 'alert' }, wrong));
}

function Chip({ style, chosen }) {
  const words = [style.prefix, style.suffix].filter(Boolean).join('…');
  return label({ class: 'chip', title: words || undefined },
    input({ type: 'radio', name: 'style', value: style.name, checked: chosen, onChange: () => change({ style: style.name }) }),
    SAMPLES.has(style.name)
      ? img({ src: `${here}styles/${style.name}.jpg`, alt: '', width: 64, height: 64, loading: 'lazy' })
      : span({ class: 'letter', 'aria-hidden': 'true' }, style.name ? style.name[0].toUpperCase() : '–'),
    span(null, style.name || texts.make.noStyle));
}
