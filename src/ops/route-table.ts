/** Which methods each path answers, so that a wrong one gets 405 with what would be right. */
export class RouteTable {
  private readonly entries: { readonly method: string; readonly path: RegExp }[] = [];

  /** @param pattern a path whose parameters begin with a colon, `/sessions/:id`. */
  add(methods: string | readonly string[], pattern: string): void {
    const literal = pattern.replaceAll('.', '\\.');
    const path = new RegExp(`^${literal.replace(/:[a-zA-Z]+/g, '[^/]+')}$`);
    for (const method of [methods].flat()) this.entries.push({ method, path });
  }

  /** Empty where no method is known; HEAD goes with GET and is not named. */
  methodsOf(path: string): string[] {
    return this.entries
      .filter((entry) => entry.method !== 'HEAD' && entry.path.test(path))
      .map(({ method }) => method);
  }
}
