const OWNER = 'batch '

/** The owner of attempts that are in a batch, as their events say it. */
export function batchOwner(batch: string): string {
  return `${OWNER}${batch}`
}

/** The batch that has an attempt; undefined: it is in none. */
export function batchOfOwner(owner: string): string | undefined {
  return owner.startsWith(OWNER) ? owner.slice(OWNER.length) : undefined
}
