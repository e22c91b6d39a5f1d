import type { Answer, Push } from '../sdk/client/index.js';

/** An answer for people: code and message, headers, then the data. */
export function answerText(answer: Answer, tookMs: number): string {
  const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\n`);
  const data = answer.data.length === 0 ? '' : `${answer.text}\n`;
  return `${answer.code} ${answer.message} (${tookMs.toFixed(1)} ms)\n${headers.join('')}${data}`;
}

/** A push for people, on one line. */
export function pushLine(push: Push): string {
  return `push ${push.seq} ${push.message}: ${push.content}\n`;
}
