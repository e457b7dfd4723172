"""One process per account: watches the market, decides by rule, trades."""
