/** A JSON Schema, draft 2020-12, as OpenAPI 3.1 uses it. */
export type Schema = Readonly<Record<string, unknown>>;

export const integer: Schema = { type: 'integer', minimum: 0 };
export const number: Schema = { type: 'number', minimum: 0 };
export const boolean: Schema = { type: 'boolean' };
export const text: Schema = { type: 'string' };
/** Seconds since 1970. */
export const time: Schema = { ...integer, description: 'seconds since 1970' };

export function oneOf(...values: string[]): Schema {
  return { type: 'string', enum: values };
}

export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/** An object with exactly these properties. */
export function object(properties: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

export function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

/** One of the schemas of the document by name. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
