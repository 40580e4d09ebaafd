// The form.
import {
  abilities, backendOf, catalog, change, errors, form, modelOf, MOST_PICTURES, presets, PROMPT_LIMIT, randomSeed, submit,
} from './form.js';
import { Field, TextArea, TextField } from './fields.js';
import { chooseFile } from './drop.js';
import { takeJobs } from './jobs.js';
import { h, tags, useState, useStore } from './lib.js';
import { Parameters } from './params.js';
import { Picture } from './picture.js';
import { StyleChips } from './styles.js';
import { texts } from './texts.js';
import { toastError } from './toast.js';

const { button, div, fieldset, form: formElement, h2, input, legend, option, output, p, section, select } = tags;

const t = texts.make;

export function Make() {
  const known = useStore(catalog);
  return section({ class: 'make', 'aria-labelledby': 'make-heading' },
    h2({ id: 'make-heading' }, t.heading),
    known.loaded ? h(Form, { known }) : p({ class: 'hint' }, t.waiting));
}

function Form({ known }) {
  const state = useStore(form);
  const [sending, setSending] = useState(false);
  const backend = backendOf(state, known);
  const can = abilities(backend, modelOf(state, backend));

  async function send(event) {
    event.preventDefault();
    if (sending) {
      return;
    }
    setSending(true);
    try {
      takeJobs([await submit()]);
    } catch (e) {
      refused(e);
    } finally {
      setSending(false);
    }
  }

  return formElement({ onSubmit: send, onKeyDown: event => event.ctrlKey && event.key === 'Enter' && !event.repeat && send(event), noValidate: true },
    h(TextArea, {
      name: 'prompt', text: t.prompt, value: state.prompt, rows: 4, placeholder: t.promptHint, maxLength: PROMPT_LIMIT,
      hint: `${t.count(state.prompt.length, PROMPT_LIMIT)} · ${t.shortcut}`,
    }),
    h(Input, { state, can }),
    can.features.includes('negative_prompt') && h(TextField, {
      name: 'negative_prompt', text: t.negative, value: state.negative_prompt, placeholder: t.negativeHint, maxLength: PROMPT_LIMIT,
    }),
    h(StyleChips, { styles: known.styles, chosen: state.style }),
    h(Engine, { state, backends: known.backends, backend, can }),
    h(SizeChoice, { state, can }),
    div({ class: 'row' },
      can.features.includes('steps') && h(TextField, {
        name: 'steps', text: t.steps, value: state.steps, type: 'number', min: 1, max: can.maxSteps, placeholder: t.stepsUsual(can.steps),
      }),
      h(TextField, { name: 'count', text: t.pictures, value: state.count, type: 'number', min: 1, max: MOST_PICTURES })),
    can.features.includes('seed') && h(Seed, { state }),
    h(Parameters, { parameters: backend.parameters, values: state.params }),
    div({ class: 'submit' },
      button({ type: 'submit', class: 'primary', disabled: sending }, sending ? t.submitting : t.submit)));
}

/** At its field where the form has it, and as a message where it does not. */
function refused(e) {
  const fields = e.fields ?? {};
  errors.set(fields);
  const names = Object.keys(fields);
  const first = names.map(name => document.getElementById(name)).find(Boolean);
  if (!first || names.some(name => !document.getElementById(name))) {
    toastError(names.length ? { message: names.map(name => `${name} ${fields[name]}`).join('; ') } : e);
  }
  first?.closest('details')?.setAttribute('open', '');
  first?.focus();
}

function Engine({ state, backends, backend, can }) {
  const model = modelOf(state, backend);
  const price = backend.prices?.find(listed => listed.model === model)?.image;
  const hint = [can.listed ? null : t.limits(can.limits), can.maxSteps && t.mostSteps(can.maxSteps), price && t.price(price)].filter(Boolean).join(' · ');
  return div({ class: 'row' },
    h(Field, {
      name: 'backend', text: t.backend, error: backend.health && !backend.health.ok ? t.unwell(backend.health.problem) : undefined,
      control: attributes => select({
        ...attributes, value: backend.name, onChange: event => change({ backend: event.target.value, model: '', size: '' }),
      }, backends.map(one => option({ key: one.name, value: one.name }, one.name))),
    }),
    h(Field, {
      name: 'model', text: t.model, hint: hint || undefined,
      control: attributes => select({ ...attributes, value: model, onChange: event => change({ model: event.target.value, size: '' }) },
        backend.models.map(one => option({ key: one, value: one }, one))),
    }));
}

function SizeChoice({ state, can }) {
  if (can.listed?.length === 0) {
    return p({ class: 'hint' }, t.sizeOwn);
  }
  const named = can.listed
    ? can.listed.map(size => ({ value: size, text: size.replace('x', ' × ') }))
    : presets(can).map(({ name, width, height }) => ({ value: `${width}x${height}`, text: `${t.shapes[name]} ${width} × ${height}` }));
  const other = !['', 'free'].includes(state.size) && !named.some(size => size.value === state.size);
  const choices = [
    { value: '', text: t.sizeUsual(`${can.width} × ${can.height}`) },
    ...named,
    ...(other ? [{ value: state.size, text: state.size.replace('x', ' × ') }] : []),
    ...(can.listed ? [] : [{ value: 'free', text: t.sizeFree }]),
  ];
  return div({ class: 'size' },
    h(Field, {
      name: 'size', text: t.size,
      control: attributes => select({ ...attributes, value: state.size, onChange: event => change({ size: event.target.value }) },
        choices.map(choice => option({ key: choice.value, value: choice.value }, choice.text))),
    }),
    // Shown for a preset too when the server refuses it: the error needs its place.
    (state.size === 'free' || errors.get().width || errors.get().height) && div({ class: 'row' },
      ['width', 'height'].map(name => h(TextField, {
        key: name, name, text: t[name], value: state.size === 'free' ? state[name] : '', type: 'number',
        min: can.limits.minSide, max: can.limits.maxSide, step: can.limits.multiple,
        placeholder: String(can[name]), readOnly: state.size !== 'free',
      }))));
}

function Seed({ state }) {
  return h(Field, {
    name: 'seed', text: t.seed,
    control: attributes => div({ class: 'joined' },
      input({
        ...attributes, value: state.seed, inputMode: 'numeric', placeholder: t.seedHint,
        onInput: event => change({ seed: event.target.value }),
      }),
      button({ type: 'button', class: 'icon', 'aria-label': t.dice, title: t.dice, onClick: () => change({ seed: randomSeed() }) }, '⚄'),
      button({
        type: 'button', class: 'icon', 'aria-label': t.lock, title: t.lock, 'aria-pressed': String(state.seedKept),
        onClick: () => change({ seedKept: !state.seedKept }),
      }, state.seedKept ? '🔒' : '🔓')),
  });
}

/** The picture that the next one begins with. */
function Input({ state, can }) {
  const wrong = useStore(errors, all => all.input_image_id);
  if (!state.input) {
    return div({ class: 'choose' }, button({ type: 'button', class: 'quiet', onClick: chooseFile }, texts.drop.choose));
  }
  const possible = can.features.includes('input_image');
  return fieldset({ class: 'input' },
    legend(null, t.input),
    h(Picture, { id: state.input, alt: t.input }),
    div(null,
      possible && can.features.includes('strength') && h(Field, {
        name: 'strength', text: t.strength,
        control: attributes => div({ class: 'joined' },
          input({
            ...attributes, type: 'range', min: 0, max: 1, step: 0.05, value: state.strength === '' ? 0.75 : state.strength,
            onInput: event => change({ strength: event.target.value }),
          }),
          output({ for: 'strength' }, state.strength === '' ? '0.75' : state.strength)),
      }),
      !possible && p({ class: 'error', role: 'alert' }, t.inputRefused),
      wrong && p({ class: 'error', role: 'alert' }, wrong),
      button({ type: 'button', class: 'quiet', id: 'input_image_id', onClick: () => change({ input: '', strength: '', input_image_id: undefined }) }, t.inputRemove)));
}
