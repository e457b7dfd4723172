"""The slow purse under the limits by the second (ls.md §6.1)."""

from brokers.paper.ls_wire.budget import BIG_BODY, PURSE, REFILL_PER_S, Budget


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def drain(budget: Budget, key: str = "key") -> int:
    given = 0
    while budget.take(key, f"t{given}", 10, order=False):
        given += 1
    return given


def test_a_rested_key_may_spend_its_purse_at_once_and_no_more() -> None:
    assert drain(Budget(Seconds())) == int(PURSE)


def test_an_empty_purse_refills_slowly() -> None:
    seconds = Seconds()
    budget = Budget(seconds)
    drain(budget)
    seconds.now = 10.0
    assert drain(budget) == int(10 * REFILL_PER_S)
    seconds.now = 10.0 + PURSE / REFILL_PER_S * 5
    assert drain(budget) == int(PURSE)


def test_orders_and_other_keys_do_not_share_it() -> None:
    budget = Budget(Seconds())
    drain(budget)
    assert budget.take("key", "CSPAT00801", 3, order=True)
    assert budget.take("another", "t1102", 10, order=False)


def test_a_big_answer_counts_as_several_calls() -> None:
    budget = Budget(Seconds())
    assert budget.take("key", "t8436", 2, order=False)
    budget.weigh("key", 8 * BIG_BODY)
    assert drain(budget) == int(PURSE) - 9
