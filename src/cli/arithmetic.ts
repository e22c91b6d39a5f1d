/** Deepest nesting of parentheses: deeper ones are no calculation but an attack on the stack. */
const MAX_DEPTH = 100;

/**
 * Calculates an expression of numbers, + - * / % ^ and parentheses, with the usual precedence.
 * @throws {SyntaxError} naming the place where it cannot be read.
 */
export function calculate(expression: string): number {
  return new Calculation(expression).run();
}

class Calculation {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  run(): number {
    const value = this.sum();
    if (this.peek() !== '') throw this.unexpected();
    return value;
  }

  private sum(): number {
    let value = this.product();
    for (let operator = this.take('+-'); operator !== ''; operator = this.take('+-')) {
      value = operator === '+' ? value + this.product() : value - this.product();
    }
    return value;
  }

  private product(): number {
    let value = this.sign();
    for (let operator = this.take('*/%'); operator !== ''; operator = this.take('*/%')) {
      const right = this.sign();
      if (operator === '*') value *= right;
      else value = operator === '/' ? value / right : value % right;
    }
    return value;
  }

  private sign(): number {
    let factor = 1;
    for (let sign = this.take('+-'); sign !== ''; sign = this.take('+-')) {
      if (sign === '-') factor = -factor;
    }
    return factor * this.power();
  }

  private power(): number {
    const base = this.atom();
    return this.take('^') === '' ? base : base ** this.nested(() => this.sign());
  }

  private atom(): number {
    if (this.take('(') !== '') {
      const value = this.nested(() => this.sum());
      if (this.take(')') === '') throw this.unexpected();
      return value;
    }
    this.peek();
    const digits = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/i.exec(
      this.text.slice(this.at, this.at + 400),
    );
    if (digits === null) throw this.unexpected();
    this.at += digits[0].length;
    return Number(digits[0]);
  }

  private nested(run: () => number): number {
    if (++this.depth > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`);
    const value = run();
    this.depth--;
    return value;
  }

  /** The next character that is no space; empty at the end. */
  private peek(): string {
    while (this.text[this.at] === ' ') this.at++;
    return this.text[this.at] ?? '';
  }

  /** Takes the next character if it is one of these. */
  private take(operators: string): string {
    const next = this.peek();
    if (next === '' || !operators.includes(next)) return '';
    this.at++;
    return next;
  }

  private unexpected(): SyntaxError {
    const found = this.peek();
    const what = found === '' ? 'it ends too early' : `unexpected ${found} at ${this.at + 1}`;
    return new SyntaxError(`cannot calculate: ${what}`);
  }
}
