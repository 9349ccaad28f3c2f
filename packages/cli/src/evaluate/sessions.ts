/** Explainers that stay open as long as there is room: the one that was not asked for longest is closed first. */
import type { Explainer } from "vitrail/node";

export class Sessions {
  private readonly open = new Map<string, Promise<Explainer>>();

  constructor(private readonly capacity: number) {}

  /** Opens what is not open. The caller asks anew for every run, so that nothing closed is used. */
  async get(key: string, create: () => Promise<Explainer>): Promise<Explainer> {
    const known = this.open.get(key);
    this.open.delete(key);
    while (!known && this.open.size >= this.capacity) await this.closeOldest();
    const session = known ?? create();
    this.open.set(key, session);
    return session;
  }

  async close(): Promise<void> {
    while (this.open.size > 0) await this.closeOldest();
  }

  private async closeOldest(): Promise<void> {
    const [key, session] = this.open.entries().next().value!;
    this.open.delete(key);
    const explainer = await session.catch(() => undefined);
    await explainer?.close();
  }
}
