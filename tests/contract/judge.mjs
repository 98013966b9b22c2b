// Holds what is sent and what comes back against the daemon's own OpenAPI document, and remembers what was seen.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import http from 'node:http';

export const stage = JSON.parse(process.env.CONTRACT_STAGE);
const require = createRequire(`${stage.packages}/`);
const Ajv = require('ajv/dist/2020.js').default;
const formats = require('ajv-formats').default;
const SwaggerParser = require('@apidevtools/swagger-parser');

// One exchange, byte for byte as given: no header is added but the length.
export function exchange(url, {method, path, headers = {}, body}) {
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const {hostname, port} = new URL(url);
  const all = {Host: `${hostname}:${port}`, ...headers, ...(bytes ? {'Content-Length': bytes.length} : {})};
  return new Promise((tell, fail) => {
    const asked = http.request({hostname, port, method, path, headers: all, setHost: false, agent: false}, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => tell({status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString()}));
      answer.on('error', fail);
    });
    asked.on('error', fail);
    asked.end(bytes);
  });
}

export const document = JSON.parse((await exchange(stage.main.url, {method: 'GET', path: '/api/v1/openapi.json'})).text);
const parameter = (one) => one.$ref ? document.components.parameters[one.$ref.split('/').pop()] : one;
const response = (one) => one.$ref ? document.components.responses[one.$ref.split('/').pop()] : one;

// The published schemas let new members in; here whatever is not described is a mistake.
function strict(schema) {
  if (Array.isArray(schema)) {
    return schema.map(strict);
  }
  if (schema === null || typeof schema !== 'object') {
    return schema;
  }
  const out = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  if (out.type === 'object' && out.properties && out.additionalProperties === undefined) {
    out.additionalProperties = false;
  }
  return out;
}

const ajv = new Ajv({strict: false, allErrors: false, discriminator: false});
formats(ajv);
ajv.addSchema({$id: 'https://runbookd/document', ...strict({components: document.components, paths: document.paths})});
const compiled = new Map();
function validator(schema) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key)) {
    const local = JSON.parse(JSON.stringify(strict(schema)).replaceAll('"#/', '"https://runbookd/document#/'));
    compiled.set(key, ajv.compile(local));
  }
  return compiled.get(key);
}
export function mistakes(schema, value) {
  const valid = validator(schema);
  return valid(value) ? '' : valid.errors.map(({instancePath, message, params}) => `${instancePath} ${message} ${JSON.stringify(params)}`).join('\n');
}

export async function expect_valid_document() {
  await SwaggerParser.validate(structuredClone(document));
  let examples = 0;
  const walk = (node) => {
    if (node && typeof node === 'object') {
      for (const example of Array.isArray(node.examples) ? node.examples : []) {
        assert.equal(mistakes({...node, examples: undefined}, example), '', `example ${JSON.stringify(example)}`);
        ++examples;
      }
      Object.values(node).forEach(walk);
    }
  };
  walk(document.components.schemas);
  for (const example of Object.values(document.components.examples)) {
    assert.equal(mistakes({$ref: '#/components/schemas/Problem'}, example.value), '');
  }
  assert.ok(examples > 10);
}

// --- operations

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({path, method: method.toUpperCase(), ...operation})));
const by_id = new Map(operations.map((operation) => [operation.operationId, operation]));
export const seen = {operations: new Set(), codes: new Set(), statuses: new Set()};

function judge_request(operation, {query, headers, body, type}) {
  const declared = (operation.parameters ?? []).map(parameter);
  for (const [name, value] of Object.entries(query)) {
    const known = declared.find((one) => one.in === 'query' && one.name === name);
    assert.ok(known, `${operation.operationId} has no query parameter ${name}`);
    const typed = known.schema.type === 'integer' ? Number(value) : value;
    assert.equal(mistakes(known.schema, typed), '', name);
  }
  for (const one of declared.filter((each) => each.in === 'query' && each.required)) {
    assert.ok(one.name in query, `${operation.operationId} needs ?${one.name}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    const known = declared.find((one) => one.in === 'header' && one.name.toLowerCase() === name.toLowerCase());
    if (known) {
      assert.equal(mistakes(known.schema, known.schema.type === 'integer' ? Number(value) : value), '', name);
    }
  }
  const wanted = operation.requestBody?.$ref ? document.components.requestBodies[operation.requestBody.$ref.split('/').pop()] : operation.requestBody;
  if (body !== undefined) {
    const form = wanted?.content[type];
    assert.ok(form, `${operation.operationId} takes no ${type}`);
    assert.equal(mistakes(form.schema, typeof body === 'string' && form.schema.type === 'string' ? body : parsed(body)), '', 'the request');
  } else {
    assert.ok(!wanted?.required, `${operation.operationId} needs a body`);
  }
}
const parsed = (body) => typeof body === 'string' ? JSON.parse(body) : body;

function judge_answer(operation, answer) {
  const name = `${operation.operationId} ${answer.status}`;
  const declared = operation.responses[answer.status];
  assert.ok(declared, `${name} is not described: ${answer.text.slice(0, 300)}`);
  const told = response(declared);
  for (const [header, one] of Object.entries(told.headers ?? {})) {
    const known = one.$ref ? document.components.headers[one.$ref.split('/').pop()] : one;
    assert.ok(!known.required || header.toLowerCase() in answer.headers, `${name}: ${header} is missing`);
  }
  seen.statuses.add(name);
  if (!told.content) {
    assert.equal(answer.text, '', name);
    return undefined;
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  const form = told.content[type];
  assert.ok(form, `${name} as ${type} is not described`);
  if (!/[/+]json$/.test(type)) {
    assert.equal(form.schema.type, 'string');
    return answer.text;
  }
  const body = JSON.parse(answer.text);
  assert.equal(mistakes(form.schema, body), '', `${name}: ${answer.text.slice(0, 2000)}`);
  if (type === 'application/problem+json') {
    judge_problem(answer, body);
    assert.ok(operation['x-runbookd-problems'].includes(body.code), `${name}: ${body.code} is not one of this operation's`);
  }
  return body;
}

export function judge_problem(answer, body) {
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(body.status, answer.status);
  assert.equal(mistakes({$ref: '#/components/schemas/Problem'}, body), '');
  assert.equal(document.components.examples[body.code].value.title, body.title);
  seen.codes.add(body.code);
}

// Sends an operation's request and judges both ways. `wrong`: the document must refuse the request as well, or
// "undescribed" where it is wrong in a way that no schema says.
export async function call(id, {path = {}, query = {}, headers = {}, body, type = 'application/json', by, url = stage.main.url, wrong} = {}) {
  const operation = by_id.get(id);
  assert.ok(operation, `there is no operation ${id}`);
  const sent = {...(by ? {Authorization: `Bearer ${by}`} : {}), ...headers};
  const judged = () => judge_request(operation, {query, headers: sent, body, type});
  if (!wrong) {
    judged();
  } else if (wrong !== 'undescribed') {
    assert.throws(judged, `${id}: the document lets this through`);
  }
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name] ?? assert.fail(name)));
  const search = new URLSearchParams(query).toString();
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await exchange(url, {
    method: operation.method,
    path: filled + (search && `?${search}`),
    headers: {...(text === undefined ? {} : {'Content-Type': type}), ...sent},
    body: text,
  });
  const told = judge_answer(operation, answer);
  if (answer.status < 400) {
    seen.operations.add(id);
  }
  return {status: answer.status, headers: answer.headers, body: told, code: told?.code};
}

// The same, where it has to be refused with this code.
export async function refused(code, id, options) {
  const answer = await call(id, options);
  assert.equal(answer.code, code, `${id}: ${answer.status} ${JSON.stringify(answer.body)?.slice(0, 400)}`);
  return answer;
}
export async function done(id, options) {
  const answer = await call(id, options);
  assert.ok(answer.status < 300, `${id}: ${answer.status} ${JSON.stringify(answer.body)?.slice(0, 600)}`);
  return answer;
}

export const all_operations = [...by_id.keys()];
export const all_codes = document.components.schemas.ProblemCode.enum;
