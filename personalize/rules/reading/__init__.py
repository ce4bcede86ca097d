"""From the texts of rule files to what they define, with every problem of all of them."""
