/**
 * Contenders measured in turns, so that whatever else the machine does troubles all of them alike.
 *
 * @module
 */

/** Somebody who is measured. */
export interface Contender {
  readonly name: string;
  /** Measures once or many times, in any unit. */
  measure(): Promise<readonly number[]>;
}

/** What was measured of a contender: the median of each round. */
export type Rounds = ReadonlyMap<string, readonly number[]>;

/** Does it so many times, and measures the milliseconds that each takes. */
export function timed(times: number, act: (index: number) => void): Promise<readonly number[]> {
  const measured = Array.from({ length: times }, (_, index) => {
    const begin = performance.now();
    act(index);
    return performance.now() - begin;
  });
  return Promise.resolve(measured);
}

/** Lets every contender measure once in every round, after one that is not counted. */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Rounds> {
  const medians = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      // Each round begins with another one, so that nobody always comes behind the same.
      const contender = contenders[(turn + Math.max(round, 0)) % contenders.length]!;
      const measured = median(await contender.measure());
      if (round >= 0) medians.get(contender.name)!.push(measured);
    }
  }
  return medians;
}

/** The ratios of one contender to another, round by round. */
export function ratios(rounds: Rounds, name: string, base: string): readonly number[] {
  return rounds.get(name)!.map((value, round) => value / rounds.get(base)![round]!);
}

/** The number in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
