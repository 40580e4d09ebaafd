// Parameters that only one backend knows, drawn as GET /backends describes them.
import { change } from './form.js';
import { Field } from './fields.js';
import { h, tags } from './lib.js';
import { texts } from './texts.js';

const { details, div, input, option, select, summary, textarea } = tags;

export function Parameters({ parameters, values }) {
  return parameters.length > 0 && details({ class: 'advanced' },
    summary(null, texts.make.advanced),
    div({ class: 'fields' }, parameters.map(parameter => h(Parameter, { key: parameter.name, parameter, values }))));
}

function Parameter({ parameter, values }) {
  const value = values[parameter.name] ?? '';
  const set = next => change({ params: { ...values, [parameter.name]: next }, [`params.${parameter.name}`]: undefined });
  return h(Field, {
    name: `params.${parameter.name}`,
    text: parameter.name,
    hint: parameter.description,
    control: attributes => control(parameter, value, set, attributes),
  });
}

function control(parameter, value, set, attributes) {
  if (parameter.enum || parameter.type === 'boolean') {
    const choices = parameter.enum ?? ['true', 'false'];
    const read = text => (parameter.enum || text === '' ? text : text === 'true');
    return select({ ...attributes, value: String(value), onChange: event => set(read(event.target.value)) },
      option({ value: '' }, texts.make.parameterDefault),
      choices.map(choice => option({ key: choice, value: choice }, choice)));
  }
  if (parameter.type === 'object') {
    return textarea({
      ...attributes, rows: 3, spellcheck: false, value: typeof value === 'string' ? value : JSON.stringify(value),
      onInput: event => set(parsed(event.target.value)),
    });
  }
  const numeric = parameter.type === 'integer' || parameter.type === 'number';
  return input({
    ...attributes, value, type: numeric ? 'number' : 'text', min: parameter.minimum, max: parameter.maximum,
    step: parameter.type === 'number' ? 'any' : undefined, maxLength: parameter.maxLength, placeholder: texts.make.parameterDefault,
    onInput: event => set(numeric && event.target.value !== '' ? Number(event.target.value) : event.target.value),
  });
}

/** What is no JSON yet goes on as text, which the server refuses in its own words. */
function parsed(text) {
  try {
    return text === '' ? '' : JSON.parse(text);
  } catch {
    return text;
  }
}
