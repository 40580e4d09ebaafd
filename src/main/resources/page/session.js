// Who is signed in. The token lives in session storage: this tab only, gone with it.
import { createStore } from './lib.js';

const TOKEN = 'imagen.token';
const OWNER = 'imagen.owner';

/** `me` is what GET /me says, null: nobody; `asked`: whether it was asked at all; `problem`: why the last sign-in did not count. */
export const session = createStore({ me: null, asked: false, problem: null });

export const token = () => sessionStorage.getItem(TOKEN);

/** The owner whose pictures are shown; an operator's sign-in has none of its own. */
export const owner = () => session.get().me?.owner_user_id ?? sessionStorage.getItem(OWNER);

/** What an operator has to add to a request: for whom it is. */
export const ownerNamed = () => (session.get().me?.owner_user_id ? null : sessionStorage.getItem(OWNER));

export function setToken(value) {
  sessionStorage.setItem(TOKEN, value);
}

export function actFor(uuid) {
  sessionStorage.setItem(OWNER, uuid);
  session.update(state => ({ ...state }));
}

export function actForAnother() {
  sessionStorage.removeItem(OWNER);
  session.update(state => ({ ...state }));
}

export function signOut(problem = null) {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(OWNER);
  session.set({ me: null, asked: true, problem });
}
