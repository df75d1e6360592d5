/** Parts of OpenAPI schemas that several answers have. */

export const time = { type: Number, format: 'int64', description: 'Milliseconds since 1970.' } as const;

export const eventTime = { ...time, description: 'Milliseconds since 1970, of event time.' } as const;

/** A value of a field or a feature; null: it is missing. */
export const scalar = { oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }], nullable: true };

/** Such values by name. */
export const scalars = { type: 'object' as const, additionalProperties: scalar };
