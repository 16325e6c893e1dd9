/** A value that all processes share, changed on condition that it is the one that was read. */
export interface Cell {
  /** As it is known by now; undefined: there is none. */
  readonly value: unknown
  /**
   * Changes it. What it has become by somebody else in between is decided upon anew.
   * @param decide from the value to the next one; undefined: nothing to change
   * @returns whether it was changed
   * @throws errors of the broker; then it may have been changed or not
   */
  update(decide: (value: unknown) => object | undefined): Promise<boolean>
  /** Calls `listener` when another value is known. @returns ends that */
  onChange(listener: () => void): () => void
}
