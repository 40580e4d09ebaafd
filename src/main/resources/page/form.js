// What the form holds, and the request that it makes. Everything is text, as in the fields; empty is "as usual".
import { api } from './api.js';
import { createStore } from './lib.js';

const DRAFT = 'imagen.draft';

export const PROMPT_LIMIT = 32_000;
export const MOST_PICTURES = 10;

const EMPTY = {
  prompt: '', negative_prompt: '', style: '', backend: '', model: '', size: '', width: '', height: '', steps: '', seed: '',
  seedKept: false, count: '1', params: {}, input: '', strength: '',
};

/** `size`: '' is the usual one, 'free' goes by width and height, anything else is WxH. */
export const form = createStore({ ...EMPTY, ...draft() });

/** What the server refused, by field. */
export const errors = createStore({});

export const catalog = createStore({ backends: [], styles: [], loaded: false });

function draft() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT)) ?? {};
  } catch {
    return {};
  }
}

export function change(fields) {
  form.update(state => ({ ...state, ...fields }));
  sessionStorage.setItem(DRAFT, JSON.stringify(form.get()));
  const names = [...Object.keys(fields), ...('size' in fields ? ['width', 'height'] : [])];
  if (names.some(name => errors.get()[name])) {
    errors.update(({ ...left }) => {
      names.forEach(name => delete left[name]);
      return left;
    });
  }
}

/** Asked again now and then: a server that was away may be back, and knows its models then. */
export async function loadCatalog() {
  const [backends, styles] = await Promise.all([api.backends(), api.styles()]);
  catalog.set({ backends, styles, loaded: true });
}

export const backendOf = ({ backend }, { backends }) =>
  backends.find(known => known.name === backend) ?? backends.find(known => known.default) ?? backends[0];

export const modelOf = ({ model }, backend) => (backend.models.includes(model) ? model : backend.defaults.model);

/** What one model of a backend can do. */
export function abilities(backend, model) {
  const own = backend.abilities.find(listed => listed.model === model);
  const sizes = backend.sizes.find(listed => listed.model === model);
  return {
    features: own?.features ?? backend.features,
    steps: own ? own.steps : backend.defaults.steps,
    maxSteps: own ? own.max_steps : backend.limits.max_steps,
    width: own?.width ?? backend.defaults.width,
    height: own?.height ?? backend.defaults.height,
    listed: sizes?.sizes ?? null,
    limits: {
      minSide: sizes?.min_side ?? backend.limits.min_side,
      maxSide: sizes?.max_side ?? backend.limits.max_side,
      maxPixels: sizes?.max_pixels ?? backend.limits.max_pixels,
      multiple: sizes?.multiple_of ?? 1,
      maxAspect: sizes?.max_aspect ?? Infinity,
    },
  };
}

const SHAPES = [['square', 1, 1], ['portrait', 3, 4], ['landscape', 4, 3], ['tall', 9, 16], ['wide', 16, 9]];

/** Sizes of common shapes with about as many pixels as usual, that this model can make. */
export function presets(can) {
  const { limits } = can;
  const unit = Math.max(limits.multiple, limits.multiple % 8 === 0 ? limits.multiple : 8 * limits.multiple);
  const pixels = Math.min(can.width * can.height, limits.maxPixels);
  return SHAPES.map(([name, x, y]) => {
    const side = ratio => Math.floor(Math.sqrt(pixels * ratio) / unit + 0.001) * unit;
    return { name, width: side(x / y), height: side(y / x) };
  }).filter(({ width, height }) => Math.min(width, height) >= limits.minSide && Math.max(width, height) <= limits.maxSide
    && width * height <= limits.maxPixels && Math.max(width, height) <= limits.maxAspect * Math.min(width, height));
}

/** The body of POST /jobs. What was left empty, or what this model does not heed, is not in it. */
export function requestOf(state, known) {
  const backend = backendOf(state, known);
  const can = abilities(backend, modelOf(state, backend));
  const heeds = name => can.features.includes(name);
  const job = { prompt: state.prompt, ...sizeOf(state, can) };
  const set = (name, value) => {
    if (value !== '' && value !== undefined) {
      job[name] = value;
    }
  };
  set('style', state.style);
  // As the form shows them: what is gone meanwhile, or another backend's, is not sent.
  set('backend', backend.name === state.backend ? state.backend : '');
  set('model', backend.models.includes(state.model) ? state.model : '');
  set('negative_prompt', heeds('negative_prompt') ? state.negative_prompt : '');
  set('steps', heeds('steps') ? whole(state.steps) : '');
  set('seed', heeds('seed') ? whole(state.seed) : '');
  set('count', state.count === '1' ? '' : whole(state.count));
  if (state.input) {
    set('input_image_id', state.input);
    set('strength', heeds('strength') ? whole(state.strength) : '');
  }
  const params = Object.entries(state.params).filter(([name, value]) => value !== '' && backend.parameters.some(one => one.name === name));
  set('params', params.length ? Object.fromEntries(params) : '');
  return job;
}

/** Text that is no number goes to the server as it is, which says what is wrong with it. */
const whole = text => (text === '' || !Number.isFinite(Number(text)) ? text : Number(text));

function sizeOf(state, can) {
  if (can.listed?.length === 0 || state.size === '') {
    return {};
  }
  if (state.size === 'free') {
    return Object.fromEntries([['width', whole(state.width)], ['height', whole(state.height)]].filter(([, value]) => value !== ''));
  }
  const [width, height] = state.size.split('x').map(Number);
  return { width, height };
}

export const randomSeed = () => String(crypto.getRandomValues(new Uint32Array(1))[0]);

/** Makes a job of what is in the form; what the server refuses is shown at its field. */
export async function submit() {
  const { seed, seedKept } = form.get();
  if (seedKept && seed === '') {
    // To keep the seed of a random picture, it has to be known.
    change({ seed: randomSeed() });
  }
  const job = await api.makeJob(requestOf(form.get(), catalog.get()));
  errors.set({});
  if (!form.get().seedKept) {
    change({ seed: '' });
  }
  return job;
}

/** Fills the form from a job, an image's request or what a picture's metadata say. */
export function fill(from) {
  const text = value => (value === null || value === undefined ? '' : String(value));
  change({
    ...EMPTY,
    prompt: text(from.prompt),
    negative_prompt: text(from.negative_prompt),
    style: catalog.get().styles.some(style => style.name === from.style) ? from.style : '',
    backend: catalog.get().backends.some(backend => backend.name === from.backend) ? from.backend : '',
    model: catalog.get().backends.some(backend => backend.models.includes(from.model)) ? from.model : '',
    size: from.width && from.height ? `${from.width}x${from.height}` : '',
    width: text(from.width),
    height: text(from.height),
    steps: text(from.steps),
    seed: text(from.seed),
    params: from.params ?? {},
    input: text(from.input_image_id),
    strength: text(from.strength),
  });
  errors.set({});
}
