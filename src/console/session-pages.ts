/** Sessions of one page: two screens. */
export const PAGE_SIZE = 50;

/** Which sessions the table shows: the filters, and the cursors of the pages up to this one. */
export class SessionPages {
  private openid = '';
  private zone = '';
  /** One for every page but the first. */
  private cursors: string[] = [];
  private following: string | null = null;

  /** From 1. */
  get page(): number {
    return this.cursors.length + 1;
  }

  get hasPrevious(): boolean {
    return this.cursors.length > 0;
  }

  get hasNext(): boolean {
    return this.following !== null;
  }

  get filtered(): boolean {
    return this.openid !== '' || this.zone !== '';
  }

  /** Shows the first page of other sessions. Whether anything changed. */
  filter(openid: string, zone: string): boolean {
    if (openid === this.openid && zone === this.zone) return false;
    this.openid = openid;
    this.zone = zone;
    this.cursors = [];
    this.following = null;
    return true;
  }

  /** The answer for this page came. @param next its `next_cursor`. */
  answered(next: string | null): void {
    this.following = next;
  }

  next(): void {
    if (this.following === null) return;
    this.cursors.push(this.following);
    this.following = null;
  }

  previous(): void {
    this.cursors.pop();
    this.following = null;
  }

  /** What is asked for this page. */
  get path(): string {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
    const cursor = this.cursors.at(-1);
    if (cursor !== undefined) query.set('cursor', cursor);
    if (this.openid !== '') query.set('openid', this.openid);
    if (this.zone !== '') query.set('zone', this.zone);
    return `stats?${query.toString()}`;
  }
}
