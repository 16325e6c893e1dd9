// What a test process opens once and shares (a server, a connection) is closed once, when every suite has ended.
const closers: (() => Promise<void> | void)[] = []

/** Runs `close` after the last suite of this process; last registered, first closed. */
export function atEnd(close: () => Promise<void> | void): void {
  closers.push(close)
}

export async function after(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close()
}
