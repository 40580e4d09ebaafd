// A picture's request, as something to run again elsewhere.

const FIELDS = ['prompt', 'negative_prompt', 'backend', 'model', 'style', 'width', 'height', 'steps', 'seed', 'params', 'input_image_id', 'strength'];

/**
 * The job that makes a picture once more: what was asked for, and what was decided then. Of several pictures it is this
 * one, so `count` is not among the fields. Null for an upload.
 */
export function jobOf(image) {
  if (!image.backend) {
    return null;
  }
  const { backend, model, steps, seed, width, height } = image;
  // The size follows from the request: some models take none. Without a request the prompt has the style's words already.
  const asked = image.request ?? { prompt: image.prompt, negative_prompt: image.negative_prompt, width, height };
  const job = { ...asked, backend, model, steps, seed };
  return Object.fromEntries(FIELDS.filter(name => job[name] !== null && job[name] !== undefined).map(name => [name, job[name]]));
}

const shellQuoted = text => `'${text.replaceAll("'", "'\\''")}'`;

/** The token is not in it: it would end in a history, or in a chat. */
export function curl(job, needsToken) {
  return [
    `curl -s ${shellQuoted(`${location.origin}/jobs`)}`,
    ...(needsToken ? ['-H "Authorization: Bearer $IMAGEN_TOKEN"'] : []),
    "-H 'Content-Type: application/json'",
    `-d ${shellQuoted(JSON.stringify(job))}`,
  ].join(' \\\n  ');
}

const sqlQuoted = text => `'${text.replaceAll("'", "''")}'`;

const sqlValue = value => (typeof value === 'number' ? String(value) : typeof value === 'object' ? `${sqlQuoted(JSON.stringify(value))}::jsonb` : sqlQuoted(value));

export function sql(job, owner) {
  const values = { owner_user_id: owner, ...job };
  return `insert into imagen.jobs (${Object.keys(values).join(', ')})\nvalues (${Object.values(values).map(sqlValue).join(', ')})\nreturning id;`;
}
