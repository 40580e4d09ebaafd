// Requests to the REST API of docs/api.md.
import { ownerNamed, signOut, token } from './session.js';
import { texts } from './texts.js';

/** What a request was refused for: `fields` maps names of fields to what is wrong with them. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? texts.failed.request(status));
    this.status = status;
    this.fields = Object.fromEntries((problem?.errors ?? []).map(error => [error.field, error.detail]));
  }
}

/** The answer, whatever its status, unless nobody answered. */
export async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  const shown = token();
  if (shown) {
    headers.set('Authorization', `Bearer ${shown}`);
  }
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Refused(0, { detail: texts.failed.offline });
  }
  if (response.status === 401 && shown && shown === token()) {
    const problem = await problemOf(response);
    signOut(problem?.detail ?? texts.signIn.expired);
    throw new Refused(401, problem);
  }
  return response;
}

/** The JSON of an answer; an answer that refuses throws `Refused`. */
export async function call(method, path, body) {
  const response = await request(path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Refused(response.status, await problemOf(response));
  }
  return response.status === 204 ? null : response.json();
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

/** A path with parameters; those that are null are left out. */
export function withQuery(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') {
      query.set(name, value);
    }
  }
  return query.size ? `${path}?${query}` : path;
}

/** As `withQuery`, for lists of one owner. */
export const ofOwner = (path, parameters = {}) => withQuery(path, { ...parameters, owner_user_id: ownerNamed() });

export const api = {
  me: () => call('GET', '/me'),
  backends: () => call('GET', '/backends').then(answer => answer.backends),
  styles: () => call('GET', '/styles').then(answer => answer.styles),
  makeJob: job => call('POST', '/jobs', ownerNamed() ? { ...job, owner_user_id: ownerNamed() } : job),
  job: id => call('GET', `/jobs/${id}`),
  jobs: limit => call('GET', ofOwner('/jobs', { limit })).then(answer => answer.jobs),
  cancel: id => call('POST', `/jobs/${id}/cancel`),
  retry: id => call('POST', `/jobs/${id}/retry`),
  ticket: () => call('POST', '/tickets').then(answer => answer.ticket),
  images: (limit, cursor) => call('GET', ofOwner('/images', { limit, cursor })),
  image: id => call('GET', `/images/${id}`),
  link: id => call('GET', `/images/${id}/link`),
  remove: id => call('DELETE', `/images/${id}`),
  restore: id => call('POST', `/images/${id}/restore`),
  workers: () => call('GET', '/workers').then(answer => answer.workers),
  queue: () => call('GET', '/queue'),
  history: minutes => call('GET', withQuery('/queue/history', { minutes })),
  failures: minutes => call('GET', withQuery('/queue/failures', { minutes })),
  usage: from => call('GET', withQuery('/usage', { group: 'day', from, owners: 'all' })),
  pause: backend => call('POST', '/pause', backend ? { backend } : {}),
  resume: backend => call('POST', '/resume', backend ? { backend } : {}),
  cancelMany: filter => call('POST', '/queue/cancel', filter),
  retryMany: filter => call('POST', '/queue/retry', filter),
};

/** Sends a picture, for jobs to begin with; answers its record. */
export async function upload(file) {
  const response = await request(ofOwner('/images'), { method: 'POST', headers: { 'Content-Type': file.type }, body: file });
  if (!response.ok) {
    throw new Refused(response.status, await problemOf(response));
  }
  return response.json();
}
