import { HttpRefusal } from './http-refusal.js';

/** A whole number out of a query. @throws {HttpRefusal} 400 that names what would be right. */
export function whole(
  query: Record<string, unknown>,
  name: string,
  min: number,
  max: number,
  fallback: number,
): number {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new HttpRefusal(400, `${name} must be a whole number from ${min} to ${max}`);
}
