// One field with its label, its hint and what is wrong with it, tied together for screen readers.
import { tags, useStore } from './lib.js';
import { change, errors } from './form.js';

const { div, input, label, p, textarea } = tags;

/** `name` is the field's name in the API, by which the server says what is wrong; `control` draws the control from its attributes. */
export function Field({ name, text, hint, error, control }) {
  const refused = useStore(errors, all => all[name]);
  const wrong = error ?? refused;
  const described = [hint && `${name}-hint`, wrong && `${name}-error`].filter(Boolean).join(' ') || undefined;
  return div({ class: wrong ? 'field wrong' : 'field' },
    label({ for: name }, text),
    control({ id: name, name, 'aria-describedby': described, 'aria-invalid': wrong ? 'true' : undefined }),
    hint && p({ class: 'hint', id: `${name}-hint` }, hint),
    wrong && p({ class: 'error', id: `${name}-error`, role: 'alert' }, wrong));
}

/** A line of text, or a number, of the form. */
export const TextField = ({ name, text, hint, value, ...rest }) => Field({
  name, text, hint,
  control: attributes => input({ ...attributes, value, onInput: event => change({ [name]: event.target.value }), ...rest }),
});

export const TextArea = ({ name, text, hint, value, ...rest }) => Field({
  name, text, hint,
  control: attributes => textarea({ ...attributes, value, onInput: event => change({ [name]: event.target.value }), ...rest }),
});
