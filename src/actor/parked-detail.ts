/** What whoever waits for a command is told that is kept behind one that failed. @param code of that failure */
export function parkedDetail(actor: string, id: string, code: string): string {
  const redrive = `millrace parked redrive actor-${actor} ${JSON.stringify(id)}`
  return `${actor} ${JSON.stringify(id)} is parked, since an earlier command failed (${code}); this one is kept in its order, for ${redrive}`
}
