"""Units and the constants of the calendar that every room shares. SI inside; friendly units at the edge."""

SECOND_S = 1
MINUTE_S = 60
HOUR_S = 3_600
DAY_S = 86_400
WEEK_HOURS = 168
DAYS_PER_MONTH = 365.25 / 12
"""Mean length of a month, in days, for rates printed per month; calendar months are summed day by day."""

GB = 1_000_000_000
GIB = 1_073_741_824
TB = 1_000_000_000_000
MTOK = 1_000_000
