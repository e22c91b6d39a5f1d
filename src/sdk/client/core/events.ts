import { ListenerError } from './errors.js';

type Listener<Event> = (event: Event) => unknown;

/**
 * Typed events. A listener that throws, or whose promise is rejected, disturbs neither the client
 * nor the other listeners: it is reported as a ListenerError.
 */
export class EventEmitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** @param report hears of failing listeners; what it throws is swallowed. */
  constructor(private readonly report: (error: ListenerError) => void) {}

  /** Calls `listener` for every event of this name until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    let set = this.listeners.get(name);
    if (set === undefined) this.listeners.set(name, (set = new Set()));
    // A wrapper of its own, so that the same function registered twice is two registrations.
    const entry: Listener<never> = (event: never) => listener(event);
    set.add(entry);
    return () => void set.delete(entry);
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    void this.emitToHandlers(name, event);
  }

  /** As emit. @returns what settles when every listener's promise has, and null where none returned one. */
  emitToHandlers<Name extends keyof Events>(
    name: Name,
    event: Events[Name],
  ): Promise<unknown> | null {
    const set = this.listeners.get(name);
    if (set === undefined) return null;
    let pending: Promise<void>[] | null = null;
    for (const listener of [...set]) {
      const running = this.call(name, listener as Listener<Events[Name]>, event);
      if (running !== null) (pending ??= []).push(running);
    }
    return pending === null ? null : Promise.all(pending);
  }

  /** Whether anybody listens to this name. */
  has(name: keyof Events): boolean {
    return (this.listeners.get(name)?.size ?? 0) > 0;
  }

  private call<Name extends keyof Events>(
    name: Name,
    listener: Listener<Events[Name]>,
    event: Events[Name],
  ): Promise<void> | null {
    try {
      const result = listener(event);
      if (!(result instanceof Promise)) return null;
      return result.then(
        () => undefined,
        (error: unknown) => this.fail(name, error),
      );
    } catch (error) {
      this.fail(name, error);
      return null;
    }
  }

  private fail(name: keyof Events, cause: unknown): void {
    try {
      this.report(new ListenerError(String(name), cause));
    } catch {
      // A listener for errors that fails itself has nobody left to tell.
    }
  }
}
