// Who nobody knows yet, and an operator who has not said for whom.
import { api } from './api.js';
import { tags, useState, useStore } from './lib.js';
import { actFor, session, setToken, signOut } from './session.js';
import { texts } from './texts.js';

const { button, form, h2, input, label, p, section } = tags;

const t = texts.signIn;

export async function signIn() {
  session.set({ me: await api.me(), asked: true, problem: null });
}

export function SignIn() {
  const { problem } = useStore(session);
  const [value, setValue] = useState('');
  async function submit(event) {
    event.preventDefault();
    setToken(value.trim());
    try {
      await signIn();
    } catch (e) {
      if (e.status === 401) {
        signOut(e.message);
      } else {
        session.update(state => ({ ...state, problem: e.message }));
      }
    }
  }
  return Question({ heading: t.heading, explain: t.explain, name: t.token, button: t.submit, problem, value, setValue, submit, type: 'password' });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function ActFor() {
  const [value, setValue] = useState('');
  const [problem, setProblem] = useState(null);
  function submit(event) {
    event.preventDefault();
    if (UUID.test(value.trim())) {
      actFor(value.trim().toLowerCase());
    } else {
      setProblem(t.actForInvalid);
    }
  }
  return Question({ heading: t.actFor, explain: t.actForExplain, name: t.actForName, button: t.actForSubmit, problem, value, setValue, submit, type: 'text' });
}

function Question({ heading, explain, name, button: submitName, problem, value, setValue, submit, type }) {
  return section({ class: 'sign-in', 'aria-labelledby': 'sign-in-heading' },
    h2({ id: 'sign-in-heading' }, heading),
    p(null, explain),
    form({ onSubmit: submit },
      label({ for: 'answer' }, name),
      input({
        id: 'answer', type, value, required: true, autocomplete: 'off', spellcheck: false, 'aria-invalid': problem ? 'true' : undefined,
        'aria-describedby': problem ? 'answer-error' : undefined, onInput: event => setValue(event.target.value),
      }),
      problem && p({ class: 'error', id: 'answer-error', role: 'alert' }, problem),
      button({ type: 'submit', class: 'primary' }, submitName)));
}
