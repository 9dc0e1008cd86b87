"""Many users, one network: who gets what at which price, and what a key rate is good for.

link rates, demands -> shares, prices;   key rate -> re-keying, buffers, outages;   requests -> waiting, blocking, age
"""

from qtn.services.demands import Demand, Fairness, Kind, demand
from qtn.services.key_budget import KeyBudget, key_budget
from qtn.services.load import Load, load
from qtn.services.outage import Stock, buffer_for, outage, stock
from qtn.services.sampled_load import SampledLoad, sampled_load
from qtn.services.secrecy import Cipher, Secrecy, secrecy
from qtn.services.share import Share, share
from qtn.services.share_network import NetworkShare, share_network

__all__ = [
    "Cipher",
    "Demand",
    "Fairness",
    "KeyBudget",
    "Kind",
    "Load",
    "NetworkShare",
    "SampledLoad",
    "Secrecy",
    "Share",
    "Stock",
    "buffer_for",
    "demand",
    "key_budget",
    "load",
    "outage",
    "sampled_load",
    "secrecy",
    "share",
    "share_network",
    "stock",
]
